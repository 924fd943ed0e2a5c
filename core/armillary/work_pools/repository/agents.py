"""What older clients ask of one queue: its due runs, and how it does."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.clock import to_micros
from armillary.criteria import texts
from armillary.db.filters import Condition, TagPlace, any_of, every
from armillary.db.unit import Reader, Unit
from armillary.flow_runs.reading import COLUMNS, JOINS, FlowRunResponse, flow_run_from_row
from armillary.ids import Ids
from armillary.work_pools.events import PoolRef
from armillary.work_pools.repository.polling import record_poll as record
from armillary.work_pools.repository.pools import find
from armillary.work_pools.schemas import (
    QueueFilter,
    QueueHealthPolicy,
    QueueStatus,
    WorkQueue,
)
from armillary.work_pools.taking import TAKING

_EVER = 1 << 62
_DUE = f"""
select {COLUMNS} from flow_run r {JOINS}
where %s and r.state_type = 'SCHEDULED'
  and (r.retry_type is null or r.retry_type <> 'in_process')
  and r.next_scheduled_start_time <= ?
order by r.next_scheduled_start_time, r.id limit ?
"""
_TAKEN = f"select count(*) from flow_run r where %s and {TAKING}"
_TAGS = TagPlace("r.tags", "flow_run_tag g where g.flow_run_id = r.id")
_LATE = """
select count(*) from flow_run
where work_queue_id = ? and state_type = 'SCHEDULED' and state_name = 'Late'
"""
HEALTH = QueueHealthPolicy()


_filter = msgspec.json.Decoder(QueueFilter | None).decode


async def due_runs(
    reader: Reader, queue: WorkQueue, *, before: int | None, limit: int, now: int
) -> list[FlowRunResponse]:
    """Select a queue's due runs, within its limit; none while it is paused."""
    if queue.is_paused:
        return []
    mine = _mine(reader.workspace, queue)
    room = limit
    if queue.concurrency_limit is not None:
        taken = int(await reader.value(_TAKEN % mine.sql, *mine.args))
        room = min(room, max(0, queue.concurrency_limit - taken))
    rows = await reader.all(_DUE % mine.sql, *mine.args, _EVER if before is None else before, room)
    return [flow_run_from_row(row, now=now) for row in rows]


def _mine(workspace: int, queue: WorkQueue) -> Condition:
    """Say which runs are a queue's: those in it, or those its filter chooses."""
    chosen = _filter(queue.filter)
    if chosen is None:
        return Condition("r.work_queue_id = ?", (queue.id,))
    return every(
        [
            Condition("r.workspace = ? and r.deployment_id is not null", (workspace,)),
            *_TAGS.all_of(chosen.tags),
            *any_of("r.deployment_id", texts(chosen.deployment_ids)),
        ]
    )


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
