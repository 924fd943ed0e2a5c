"""Creates the table of background task runs that wait for a worker, and fills it."""

STATEMENTS = (
    # `turn` is 0 for what is tried again, else 1; `available` is when it may be handed out
    """create table task_run_waiting (
        task_run_id {key} not null primary key,
        workspace integer not null,
        task_key {key} not null,
        turn smallint not null,
        available bigint not null,
        holder {key}
    )""",
    # the next one of a task in either turn
    """create index task_run_waiting_next
        on task_run_waiting (workspace, task_key, turn, available, task_run_id)""",
    # those that were scheduled when nobody served them
    """insert into task_run_waiting (task_run_id, workspace, task_key, turn, available)
        select r.id, r.workspace, r.task_key, 1, r.created
        from task_run r join task_run_state s on s.id = r.state_id
        where r.state_type = 'SCHEDULED' and s.details like '%"deferred":true%'""",
)
