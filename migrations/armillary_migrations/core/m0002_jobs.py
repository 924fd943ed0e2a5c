"""Creates the table of jobs, and that of things whose rest is still to be deleted."""

STATEMENTS = (
    """create table job (
        id {key} not null primary key,
        queue {key} not null,
        key {key} not null,
        workspace integer not null,
        job text not null,
        arguments text not null,
        state {key} not null,
        group_key {key},
        created bigint not null,
        scheduled bigint not null,
        attempts integer not null,
        attempts_allowed integer not null,
        progress double precision not null,
        note text,
        error text,
        worker {key},
        started bigint,
        touched bigint,
        deadline bigint,
        ended bigint,
        expires bigint
    )""",
    # enqueue: the same key gives the same job
    "create unique index job_key on job (queue, key)",
    # claiming what is due
    "create index job_waiting on job (queue, scheduled, id) where state = 'waiting'",
    # what is held, and until when
    "create index job_active on job (queue, deadline) where state = 'active'",
    # one job of a group at a time
    """create unique index job_group on job (queue, group_key)
        where state = 'active' and group_key is not null""",
    # what has been seen long enough
    "create index job_expiring on job (expires) where expires is not null",
    # lists, newest first
    "create index job_list on job (workspace, created, id)",
    "create index job_state on job (workspace, state, created, id)",
    """create table doomed (
        id {key} not null primary key,
        kind text not null,
        workspace integer not null,
        created bigint not null
    )""",
    # deleting a state that was cached
    "create index task_run_state_cache_state on task_run_state_cache (task_run_state_id)",
)
