"""The core's tables as Piccolo declares them: the server's own here, each domain's in its place.

Nothing that serves requests imports this: SQL is written by hand, and the declarations say what
the migrations must have made.  Piccolo knows keys of one column only; where a key has several,
its first column is declared as the key.
"""

from piccolo.columns import BigInt, BigSerial, Integer, Text
from piccolo.table import Table

from armillary.db.core_belongs import BELONGS
from armillary.db.tables import Tables


class WorkspaceTable(Table, tablename="workspace"):
    """A workspace; ``key`` is what other tables name it by."""

    key = Integer(primary_key=True)
    id = Text()
    account_id = Text()
    name = Text()
    handle = Text()
    created = BigInt()


class ConfigurationTable(Table, tablename="configuration"):
    """Settings that are changed while the server runs."""

    workspace = Integer(primary_key=True)
    name = Text()
    value = Text()
    updated = BigInt()


class OutboxTable(Table, tablename="outbox"):
    """What is to be handed on, in the order of its commits."""

    id = BigSerial(primary_key=True)
    tx = BigInt()
    topic = Text()
    workspace = Integer()
    event_id = Text()
    body = Text()


class ConsumerPositionTable(Table, tablename="consumer_position"):
    """How far a consumer of the outbox has come."""

    consumer = Text(primary_key=True)
    tx = BigInt()
    id = BigInt()
    updated = BigInt()


class ServiceLeaseTable(Table, tablename="service_lease"):
    """Which process runs a service."""

    service = Text(primary_key=True)
    holder = Text()
    expires = BigInt()


class ServiceTurnTable(Table, tablename="service_turn"):
    """When a service took its last turn that must know for how long there was none."""

    service = Text(primary_key=True)
    taken = BigInt()


class DoomedTable(Table, tablename="doomed"):
    """What is deleted, and has rows below it that are not gone yet."""

    id = Text(primary_key=True)
    kind = Text()
    workspace = Integer()
    created = BigInt()


class ServerProcessTable(Table, tablename="server_process"):
    """Processes that are alive, and what they serve."""

    id = Text(primary_key=True)
    targets = Text()
    seen = BigInt()


def core_tables() -> Tables:
    """Declare all tables of the core."""
    from armillary.concurrency import tables as concurrency  # noqa: PLC0415
    from armillary.deployments import tables as deployments  # noqa: PLC0415
    from armillary.flow_runs import tables as flow_runs  # noqa: PLC0415
    from armillary.flows import tables as flows  # noqa: PLC0415
    from armillary.jobs import tables as jobs  # noqa: PLC0415
    from armillary.task_runs import tables as task_runs  # noqa: PLC0415
    from armillary.work_pools import tables as work_pools  # noqa: PLC0415

    return Tables(
        owner="core",
        classes=(
            WorkspaceTable,
            ConfigurationTable,
            OutboxTable,
            ConsumerPositionTable,
            ServiceLeaseTable,
            ServiceTurnTable,
            ServerProcessTable,
            DoomedTable,
            jobs.JobTable,
            flows.FlowTable,
            flow_runs.FlowRunTable,
            flow_runs.FlowRunStateTable,
            flow_runs.FlowRunTagTable,
            flow_runs.FlowRunInputTable,
            task_runs.TaskRunTable,
            task_runs.TaskRunStateTable,
            task_runs.TaskRunStateCacheTable,
            task_runs.TaskRunWaitingTable,
            deployments.DeploymentTable,
            deployments.DeploymentScheduleTable,
            work_pools.WorkPoolTable,
            work_pools.WorkQueueTable,
            work_pools.WorkerTable,
            concurrency.ConcurrencyLimitTable,
            concurrency.ConcurrencyLeaseTable,
            concurrency.ConcurrencyLeaseLimitTable,
        ),
        after=(),
        belongs=BELONGS,
    )
