"""Lets lists in order of start be answered by an index, as those in order of expected start are."""

STATEMENTS = (
    # runs in a type of state, or in a state of a name
    """create index flow_run_state_started
        on flow_run (workspace, state_type, coalesce(start_time, expected_start_time))""",
    """create index flow_run_name_started on flow_run
        (workspace, substr(state_name, 1, 100), coalesce(start_time, expected_start_time))""",
    # the runs of a deployment, of a flow
    """create index flow_run_deployment_started
        on flow_run (deployment_id, coalesce(start_time, expected_start_time))
        where deployment_id is not null""",
    """create index flow_run_flow_started
        on flow_run (flow_id, coalesce(start_time, expected_start_time))""",
    # the runs of a tag in a type of state, in either order
    """create index flow_run_tag_state
        on flow_run_tag (workspace, tag, state_type, expected_start_time, flow_run_id)""",
    """create index flow_run_tag_started
        on flow_run_tag (workspace, tag, state_type, started, flow_run_id)""",
    # how many are in a type of state, of all and of a tag
    "create index flow_run_number on flow_run (workspace, state_type) where {posting}",
    """create index flow_run_tag_number
        on flow_run_tag (workspace, tag, state_type) where {posting}""",
    # all runs: the narrowest index, made last, is the one that counts of all walk
    "drop index flow_run_started",
    """create index flow_run_started
        on flow_run (workspace, coalesce(start_time, expected_start_time))""",
)
