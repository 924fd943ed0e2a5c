"""Lets lists and counts of flow runs by state, alone or with a tag, be answered by an index."""

STATEMENTS = (
    "drop index flow_run_notable",
    # lists and counts by type of state, newest first; all there is to sort by ids is in it
    """create index flow_run_state_type
        on flow_run (workspace, state_type, expected_start_time, id)""",
    # the same by name, as far as an index of PostgreSQL has room for one
    """create index flow_run_state_name
        on flow_run (workspace, substr(state_name, 1, 100), expected_start_time)""",
    # the state is last in it so that a walk passes over runs without reading them
    "drop index flow_run_started",
    """create index flow_run_started
        on flow_run (workspace, coalesce(start_time, expected_start_time), state_type)""",
    # what of a run lists by tag look at
    "alter table flow_run_tag add column state_type text",
    "alter table flow_run_tag add column state_name text",
    "alter table flow_run_tag add column started bigint",
    """update flow_run_tag set (state_type, state_name, started) = (
        select r.state_type, r.state_name, coalesce(r.start_time, r.expected_start_time)
        from flow_run r where r.id = flow_run_tag.flow_run_id)""",
)
