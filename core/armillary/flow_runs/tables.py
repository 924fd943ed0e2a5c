"""The tables of flow runs, as Piccolo declares them."""

from piccolo.columns import BigInt, DoublePrecision, Integer, SmallInt, Text
from piccolo.table import Table


class FlowRunTable(Table, tablename="flow_run"):
    """A flow run with what is derived from its present state."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    flow_id = Text()
    state_id = Text(null=True)
    state_type = Text(null=True)
    state_name = Text(null=True)
    state_timestamp = BigInt(null=True)
    deployment_id = Text(null=True)
    deployment_version = Text(null=True)
    work_queue_id = Text(null=True)
    work_queue_name = Text(null=True)
    flow_version = Text(null=True)
    idempotency_key = Text(null=True)
    parent_task_run_id = Text(null=True)
    schedule_id = Text(null=True)
    run_count = Integer()
    expected_start_time = BigInt(null=True)
    next_scheduled_start_time = BigInt(null=True)
    start_time = BigInt(null=True)
    end_time = BigInt(null=True)
    total_run_time = DoublePrecision()
    auto_scheduled = SmallInt()
    retry_type = Text(null=True)
    infrastructure_document_id = Text(null=True)
    infrastructure_pid = Text(null=True)
    empirical_policy = Text()
    parameters = Text()
    context = Text()
    tags = Text()
    labels = Text()
    job_variables = Text(null=True)
    created_by = Text(null=True)


class FlowRunStateTable(Table, tablename="flow_run_state"):
    """A state that a flow run has or had."""

    id = Text(primary_key=True)
    flow_run_id = Text()
    type = Text()
    name = Text()
    timestamp = BigInt()
    message = Text(null=True)
    data = Text(null=True)
    details = Text()


class FlowRunTagTable(Table, tablename="flow_run_tag"):
    """A tag of a flow run, in order of time, with what of the run lists by tag look at."""

    workspace = Integer(primary_key=True)
    tag = Text()
    expected_start_time = BigInt()
    flow_run_id = Text()
    state_type = Text(null=True)
    state_name = Text(null=True)
    started = BigInt(null=True)


class FlowRunInputTable(Table, tablename="flow_run_input"):
    """A value stored with a flow run."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    flow_run_id = Text()
    key = Text()
    value = Text()
    sender = Text(null=True)
