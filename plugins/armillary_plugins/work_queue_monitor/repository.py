"""Finds workers, pools, queues and deployments that went quiet, and stores what they became."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.db.unit import Reader, Row, Unit
from armillary.ids import Ids
from armillary.work_pools.events import PoolRef, QueueRef, emit_queue, set_pool_status
from armillary.work_pools.repository.polling import deployment_status_event

_SILENT_WORKERS = """
update worker set status = 'OFFLINE', updated = ?
where status = 'ONLINE' and last_heartbeat_time
  < ? - cast(? * coalesce(heartbeat_interval_seconds, ?) * 1000000 as bigint)
"""
_HEARD_IN_FUTURE = (
    "update worker set last_heartbeat_time = ? where status = 'ONLINE' and last_heartbeat_time > ?",
    "update work_queue set last_polled = ? where status = 'READY' and last_polled > ?",
    "update deployment set last_polled = ? where status = 'READY' and last_polled > ?",
)
_LONELY_POOLS = """
select p.workspace, p.id, p.name, p.type, p.status, p.last_status_event_id,
  p.last_transitioned_status_at from work_pool p
where p.status = 'READY' and not exists (
  select 1 from worker w where w.work_pool_id = p.id and w.status = 'ONLINE')
"""
_QUIET_QUEUES = """
select q.workspace, q.id, q.name, p.id, p.name, p.type
from work_queue q join work_pool p on p.id = q.work_pool_id
where q.status = 'READY' and q.last_polled < ?
"""
_QUIET_DEPLOYMENTS = """
select d.workspace, d.id, d.name, f.id, f.name
from deployment d join flow f on f.id = d.flow_id
  left join work_queue q on q.id = d.work_queue_id
where d.status = 'READY' and d.last_polled < ? and (q.last_polled is null or q.last_polled < ?)
"""


async def hear_now(unit: Unit) -> None:
    """Count from now on what was heard of in the future: the clock was put back meanwhile."""
    for statement in _HEARD_IN_FUTURE:
        await unit.run(statement, unit.micros, unit.micros)


async def workers_offline(unit: Unit, *, heartbeats: float, interval: float) -> int:
    """Put workers offline that missed too many heartbeats; return how many."""
    return await unit.run(_SILENT_WORKERS, unit.micros, unit.micros, heartbeats, interval)


async def lonely_pools(reader: Reader) -> Sequence[Row]:
    """Find ready pools without a worker online."""
    return await reader.all(_LONELY_POOLS)


async def pool_not_ready(unit: Unit, ids: Ids, row: Row) -> None:
    """Store and announce that a pool of :func:`lonely_pools` is not ready."""
    pool = PoolRef(
        id=row[1],
        name=row[2],
        type=row[3],
        status=row[4],
        last_status_event_id=row[5],
        last_status_at=row[6],
    )
    await set_pool_status(unit, ids, pool, "NOT_READY")


async def quiet_queues(reader: Reader, before: int) -> Sequence[Row]:
    """Find ready queues last polled before then (microseconds)."""
    return await reader.all(_QUIET_QUEUES, before)


async def queue_not_ready(unit: Unit, ids: Ids, row: Row) -> None:
    """Store and announce that a queue of :func:`quiet_queues` is not ready."""
    await unit.run(
        "update work_queue set status = 'NOT_READY', updated = ? where id = ?", unit.micros, row[1]
    )
    pool = PoolRef(id=row[3], name=row[4], type=row[5])
    emit_queue(unit, ids.uuid7(), "not-ready", QueueRef(id=row[1], name=row[2]), pool)


async def quiet_deployments(reader: Reader, before: int) -> Sequence[Row]:
    """Find ready deployments that neither they nor their queue were polled since then."""
    return await reader.all(_QUIET_DEPLOYMENTS, before, before)


async def deployment_not_ready(unit: Unit, ids: Ids, row: Row) -> None:
    """Store and announce that a deployment of :func:`quiet_deployments` is not ready."""
    await unit.run("update deployment set status = 'NOT_READY' where id = ?", row[1])
    event = deployment_status_event(unit, ids, "not-ready", (row[1], row[2]), (row[3], row[4]))
    unit.emit(event.emitted())
