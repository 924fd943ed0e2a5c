"""The tables of task runs, as Piccolo declares them."""

from piccolo.columns import BigInt, BigSerial, DoublePrecision, Integer, SmallInt, Text
from piccolo.table import Table


class TaskRunTable(Table, tablename="task_run"):
    """A task run with what is derived from its present state."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    flow_run_id = Text(null=True)
    task_key = Text()
    dynamic_key = Text()
    cache_key = Text(null=True)
    cache_expiration = BigInt(null=True)
    task_version = Text(null=True)
    state_id = Text(null=True)
    state_type = Text(null=True)
    state_name = Text(null=True)
    state_timestamp = BigInt(null=True)
    run_count = Integer()
    flow_run_run_count = Integer()
    expected_start_time = BigInt(null=True)
    next_scheduled_start_time = BigInt(null=True)
    start_time = BigInt(null=True)
    end_time = BigInt(null=True)
    total_run_time = DoublePrecision()
    empirical_policy = Text()
    task_inputs = Text()
    tags = Text()
    labels = Text()


class TaskRunStateTable(Table, tablename="task_run_state"):
    """A state that a task run has or had."""

    id = Text(primary_key=True)
    task_run_id = Text()
    type = Text()
    name = Text()
    timestamp = BigInt()
    message = Text(null=True)
    data = Text(null=True)
    details = Text()


class TaskRunStateCacheTable(Table, tablename="task_run_state_cache"):
    """A state that task runs with the same cache key take over."""

    id = BigSerial(primary_key=True)
    workspace = Integer()
    cache_key = Text()
    cache_expiration = BigInt(null=True)
    task_run_state_id = Text()
    created = BigInt()


class TaskRunWaitingTable(Table, tablename="task_run_waiting"):
    """A background task run that waits for a worker, or is being handed to one."""

    task_run_id = Text(primary_key=True)
    workspace = Integer()
    task_key = Text()
    turn = SmallInt()
    available = BigInt()
    holder = Text(null=True)
