"""Summaries on the wire: which things are meant, and what is answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from armillary.api import Body, OrDefault
from armillary.clock import to_micros
from armillary.criteria import States, StateTypeName, StateTypes
from armillary.db.filters import every, exists
from armillary.errors import Invalid
from armillary.flow_runs.criteria import FlowRunCriteria
from armillary.flow_runs.selecting import FlowRunSort
from armillary.orchestration.wire import in_utc
from armillary.task_runs.criteria import TaskRunCriteria, TaskRunSelection
from armillary.task_runs.schemas import TaskRun
from armillary.work_pools.filters import WorkPoolFilter, WorkQueueFilter

MOST_IDS = 200
MOST_RUNS = 1000
BUCKETS = 20
"""The parts into which a dashboard divides its window."""
_QUEUES = (
    "flow_run r join work_queue q on q.id = r.work_queue_id"
    " join work_pool p on p.id = q.work_pool_id"
    " where r.id = t.flow_run_id and {no_index}p.workspace = t.workspace"
)
_ENDED: tuple[StateTypeName, ...] = ("CANCELLED", "COMPLETED", "CRASHED", "FAILED")

Named: TypeAlias = Annotated[list[UUID], msgspec.Meta(max_length=MOST_IDS)]


class NamedFlows(Body, kw_only=True):
    """Flows by their ids."""

    flow_ids: Named


class NamedFlowRuns(Body, kw_only=True):
    """Flow runs by their ids."""

    flow_run_ids: Named


class FlowRunPoints(FlowRunCriteria):
    """Which flow runs to show as points in time."""

    sort: OrDefault[FlowRunSort] = "EXPECTED_START_TIME_DESC"
    limit: OrDefault[Annotated[int, msgspec.Meta(ge=0, le=MOST_RUNS)]] = MOST_RUNS
    offset: OrDefault[Annotated[int, msgspec.Meta(ge=0, lt=2**31)]] = 0


class SimpleFlowRun(msgspec.Struct, frozen=True, kw_only=True):
    """A flow run as a point; ``duration`` and ``lateness`` are seconds."""

    id: str
    state_type: str
    timestamp: datetime
    duration: float
    lateness: float


class SimpleNextFlowRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run of a flow that starts next."""

    id: str
    flow_id: str
    name: str
    state_name: str
    state_type: str
    next_scheduled_start_time: datetime


class CountByState(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs are in each kind of state."""

    SCHEDULED: int = 0
    PENDING: int = 0
    RUNNING: int = 0
    COMPLETED: int = 0
    FAILED: int = 0
    CANCELLED: int = 0
    CRASHED: int = 0
    PAUSED: int = 0
    CANCELLING: int = 0


class TaskRunCount(msgspec.Struct):
    """How task runs that began in a stretch of time have ended."""

    completed: int = 0
    failed: int = 0


class UITaskRun(TaskRun, frozen=True, kw_only=True):
    """A task run with the name of its flow run."""

    flow_run_name: str | None


class Window(msgspec.Struct, frozen=True):
    """A stretch of time, in microseconds, that is divided into :data:`BUCKETS` parts."""

    start: int
    end: int


class DashboardCriteria(TaskRunCriteria):
    """Which task runs a dashboard counts."""

    work_pools: WorkPoolFilter | None = None
    work_queues: WorkQueueFilter | None = None

    def window(self, now: datetime) -> Window:
        """Say which time is shown: whole minutes, from the asked one on."""
        times = self.task_runs.start_time if self.task_runs else None
        if times is None or times.after_ is None:
            message = "task_runs.start_time.after_ is required"
            raise _WindowMissing(message, loc=("body", "task_runs", "start_time", "after_"))
        start = in_utc(times.after_).replace(second=0, microsecond=0)
        last = in_utc(times.before_) if times.before_ else now
        end = last.replace(second=0, microsecond=0)
        minute = timedelta(minutes=1) // timedelta(microseconds=1)
        return Window(to_micros(start), to_micros(end) + minute)

    def selection(self, workspace: int) -> TaskRunSelection:
        """Say which task runs ``t`` are meant: of those, only what has ended."""
        if self.task_runs is not None:
            self.task_runs.state = States(type=StateTypes(any_=list(_ENDED)))
        found = super().selection(workspace)
        if self.work_pools is None and self.work_queues is None:
            return found
        parts = [
            *([self.work_pools.on("p")] if self.work_pools else []),
            *([self.work_queues.on("q")] if self.work_queues else []),
        ]
        of_queues = exists(_QUEUES, every(parts))
        return msgspec.structs.replace(found, condition=every([found.condition, of_queues]))


class _WindowMissing(Invalid):
    """No window is given: 422 with ``detail``."""

    @property
    def body(self) -> dict[str, object]:
        """The shape with ``detail``."""
        return {"detail": str(self)}
