"""The tables of work pools, as Piccolo declares them."""

from piccolo.columns import BigInt, Integer, SmallInt, Text
from piccolo.table import Table


class WorkPoolTable(Table, tablename="work_pool"):
    """A work pool."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    description = Text(null=True)
    type = Text()
    base_job_template = Text()
    is_paused = SmallInt()
    concurrency_limit = Integer(null=True)
    default_queue_id = Text(null=True)
    status = Text(null=True)
    storage_configuration = Text()
    last_transitioned_status_at = BigInt(null=True)
    last_status_event_id = Text(null=True)


class WorkQueueTable(Table, tablename="work_queue"):
    """A queue of a work pool."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    description = Text()
    is_paused = SmallInt()
    concurrency_limit = Integer(null=True)
    priority = Integer()
    work_pool_id = Text()
    filter = Text(null=True)
    last_polled = BigInt(null=True)
    status = Text()


class WorkerTable(Table, tablename="worker"):
    """A worker that was heard of."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    work_pool_id = Text()
    last_heartbeat_time = BigInt()
    heartbeat_interval_seconds = Integer(null=True)
    status = Text()
