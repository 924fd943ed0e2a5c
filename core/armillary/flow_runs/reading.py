"""Flow runs as answered: rows straight into the shape of the wire."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.db.unit import Reader, Row
from armillary.orchestration.wire import NULL, WireState, wire_from_row

COLUMNS = """
r.id, r.created, r.updated, r.name, r.flow_id, r.state_id, r.deployment_id, r.deployment_version,
r.work_queue_id, r.work_queue_name, r.flow_version, r.parameters, r.idempotency_key, r.context,
r.empirical_policy, r.tags, r.labels, r.parent_task_run_id, r.state_type, r.state_name,
r.run_count, r.expected_start_time, r.next_scheduled_start_time, r.start_time, r.end_time,
r.total_run_time, r.auto_scheduled, r.infrastructure_document_id, r.infrastructure_pid,
r.created_by, r.job_variables, q.name, p.id, p.name,
s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details
"""
JOINS = """
left join flow_run_state s on s.id = r.state_id
left join work_queue q on q.id = r.work_queue_id
left join work_pool p on p.id = q.work_pool_id
"""
_BY_ID = f"""
select {COLUMNS} from flow_run r {JOINS} where r.id = ? and r.workspace = ?
"""
_TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})


class Estimates(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of a flow run depends on when it is asked for; no more than numbers: no ``gc``."""

    estimated_run_time: float
    estimated_start_time_delta: float


class FlowRunResponse(Estimates, frozen=True, kw_only=True, gc=False):
    """A flow run as answered: every key, always.  Nothing in it leads back to it: no ``gc``."""

    id: str
    created: datetime
    updated: datetime
    name: str
    flow_id: str
    state_id: str | None
    deployment_id: str | None
    deployment_version: str | None
    work_queue_id: str | None
    work_queue_name: str | None
    flow_version: str | None
    parameters: msgspec.Raw
    idempotency_key: str | None
    context: msgspec.Raw
    empirical_policy: msgspec.Raw
    tags: msgspec.Raw
    labels: msgspec.Raw
    parent_task_run_id: str | None
    state_type: str | None
    state_name: str | None
    run_count: int
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float
    auto_scheduled: bool
    infrastructure_document_id: str | None
    infrastructure_pid: str | None
    created_by: msgspec.Raw
    work_pool_id: str | None
    work_pool_name: str | None
    state: WireState | None
    job_variables: msgspec.Raw


def estimated_run_time(
    total: float, state_type: str | None, entered: int | None, *, now: int
) -> float:
    """Return the seconds a run has been RUNNING, the present stretch included."""
    if state_type == "RUNNING" and entered is not None:
        return total + (now - entered) / 1e6
    return total


def lateness(start: int | None, expected: int | None, state_type: str | None, *, now: int) -> float:
    """Return by how many seconds a run started, or has not yet started, too late."""
    if expected is None:
        return 0.0
    if start is not None:
        return max(0.0, (start - expected) / 1e6)
    if state_type in _TERMINAL:
        return 0.0
    return max(0.0, (now - expected) / 1e6)


def _raw(text: str | None) -> msgspec.Raw:
    return NULL if text is None else msgspec.Raw(text.encode())


def estimates_from_row(row: Row, *, now: int) -> Estimates:
    """Shape what of a row of :data:`COLUMNS` depends on ``now``, in microseconds."""
    return Estimates(
        estimated_run_time=estimated_run_time(row[25], row[18], row[37], now=now),
        estimated_start_time_delta=lateness(row[23], row[21], row[18], now=now),
    )


def flow_run_from_row(row: Row, *, now: int) -> FlowRunResponse:
    """Shape a row of :data:`COLUMNS`; ``now`` is in microseconds."""
    linked = row[31] is not None
    return FlowRunResponse(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        flow_id=row[4],
        state_id=row[5],
        deployment_id=row[6],
        deployment_version=row[7],
        work_queue_id=row[8] if linked else None,
        work_queue_name=row[31] if linked else row[9],
        flow_version=row[10],
        parameters=msgspec.Raw(row[11].encode()),
        idempotency_key=row[12],
        context=msgspec.Raw(row[13].encode()),
        empirical_policy=msgspec.Raw(row[14].encode()),
        tags=msgspec.Raw(row[15].encode()),
        labels=msgspec.Raw(row[16].encode()),
        parent_task_run_id=row[17],
        state_type=row[18],
        state_name=row[19],
        run_count=row[20],
        expected_start_time=maybe_moment(row[21]),
        next_scheduled_start_time=maybe_moment(row[22]),
        start_time=maybe_moment(row[23]),
        end_time=maybe_moment(row[24]),
        total_run_time=row[25],
        estimated_run_time=estimated_run_time(row[25], row[18], row[37], now=now),
        estimated_start_time_delta=lateness(row[23], row[21], row[18], now=now),
        auto_scheduled=bool(row[26]),
        infrastructure_document_id=row[27],
        infrastructure_pid=row[28],
        created_by=_raw(row[29]),
        work_pool_id=row[32],
        work_pool_name=row[33],
        state=wire_from_row(row[34:41]),
        job_variables=_raw(row[30]),
    )


async def read_flow_run(reader: Reader, run_id: str, *, now: int) -> FlowRunResponse | None:
    """Read one flow run of the reader's workspace by its key."""
    row = await reader.one(_BY_ID, run_id, reader.workspace)
    return None if row is None else flow_run_from_row(row, now=now)
