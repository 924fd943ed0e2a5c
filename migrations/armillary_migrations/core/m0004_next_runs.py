"""Lets the next run of a flow be found that no deployment has ahead of it."""

STATEMENTS = (
    """create index flow_run_flow_due on flow_run (flow_id, next_scheduled_start_time)
        where state_type = 'SCHEDULED' and deployment_id is null""",
)
