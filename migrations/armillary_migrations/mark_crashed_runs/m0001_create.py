"""Creates the tables of agents and of the runs they hold."""

STATEMENTS = (
    """create table agent (
        workspace integer not null,
        name text not null,
        session {key} not null,
        host text not null,
        pid integer not null,
        pools text not null,
        slots integer not null,
        draining smallint not null,
        started bigint not null,
        seen bigint not null,
        primary key (workspace, name)
    )""",
    """create table agent_run (
        flow_run_id {key} not null,
        workspace integer not null,
        agent text not null,
        session {key} not null,
        claim {key} not null,
        process integer,
        since bigint not null,
        given_up bigint,
        primary key (flow_run_id, session)
    )""",
    # the runs of a session, each time it is heard of
    "create index agent_run_session on agent_run (session)",
)
