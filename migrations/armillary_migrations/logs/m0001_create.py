"""Creates the table of log lines.

A line's key is the order in which it arrived; its id on the wire is made of that, so no id is
stored and no index of ids is kept.
"""

STATEMENTS = (
    """create table log (
        key {serial},
        workspace integer not null,
        created bigint not null,
        timestamp bigint not null,
        level integer not null,
        name text not null,
        message text not null,
        flow_run_id {key},
        task_run_id {key}
    )""",
    # lines of a flow run by time; which flow runs have lines
    """create index log_flow_run on log (workspace, flow_run_id, timestamp, key)
        where flow_run_id is not null""",
    # lines of a task run by time
    """create index log_task_run on log (workspace, task_run_id, timestamp, key)
        where task_run_id is not null""",
    # lines of a workspace by time
    "create index log_time on log (workspace, timestamp, key)",
    # how many warnings and errors a flow run has logged
    """create index log_notable on log (workspace, flow_run_id, level)
        where level >= 30 and flow_run_id is not null""",
)
