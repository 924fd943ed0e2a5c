"""What older clients ask of one queue: its due runs, and how it does."""

from __future__ import annotations

from datetime import datetime

from armillary.clock import to_micros
from armillary.db.unit import Reader, Unit
from armillary.flow_runs.reading import COLUMNS, JOINS, FlowRunResponse, flow_run_from_row
from armillary.ids import Ids
from armillary.work_pools.events import PoolRef
from armillary.work_pools.repository.polling import record_poll as record
from armillary.work_pools.repository.pools import find
from armillary.work_pools.schemas import QueueHealthPolicy, QueueStatus, WorkQueue

_EVER = 1 << 62
_DUE = f"""
select {COLUMNS} from flow_run r {JOINS}
where r.work_queue_id = ? and r.state_type = 'SCHEDULED'
  and (r.retry_type is null or r.retry_type <> 'in_process')
  and r.next_scheduled_start_time <= ?
order by r.next_scheduled_start_time, r.id limit ?
"""
_TAKEN = """
select count(*) from flow_run
where work_queue_id = ? and state_type in ('RUNNING', 'PENDING') and work_queue_id is not null
"""
_LATE = """
select count(*) from flow_run
where work_queue_id = ? and state_type = 'SCHEDULED' and state_name = 'Late'
"""
HEALTH = QueueHealthPolicy()


async def due_runs(
    reader: Reader, queue: WorkQueue, *, before: int | None, limit: int, now: int
) -> list[FlowRunResponse]:
    """Select a queue's due runs, within its limit; none while it is paused."""
    if queue.is_paused:
        return []
    room = limit
    if queue.concurrency_limit is not None:
        taken = int(await reader.value(_TAKEN, queue.id))
        room = min(room, max(0, queue.concurrency_limit - taken))
    rows = await reader.all(_DUE, queue.id, _EVER if before is None else before, room)
    return [flow_run_from_row(row, now=now) for row in rows]


async def record_poll(unit: Unit, ids: Ids, queue: WorkQueue) -> None:
    """Mark a queue as polled."""
    pool: PoolRef = await find(unit, queue.work_pool_name or "")
    await record(unit, ids, pool, [queue.id])


async def status(reader: Reader, queue: WorkQueue, *, now: datetime) -> QueueStatus:
    """Judge a queue by its late runs and its last poll."""
    late = int(await reader.value(_LATE, queue.id))
    quiet = (
        None if queue.last_polled is None else (to_micros(now) - to_micros(queue.last_polled)) / 1e6
    )
    polled = quiet is not None and quiet <= HEALTH.maximum_seconds_since_last_polled
    return QueueStatus(
        healthy=polled and late <= HEALTH.maximum_late_runs,
        late_runs_count=late,
        last_polled=queue.last_polled,
        health_check_policy=HEALTH,
    )
