"""Queries on workers."""

from __future__ import annotations

from armillary.clock import from_micros
from armillary.db.unit import Row, Unit
from armillary.errors import NotFound
from armillary.ids import Ids
from armillary.work_pools.events import set_pool_status
from armillary.work_pools.repository.pools import find, lock
from armillary.work_pools.schemas import Worker

COLUMNS = """
w.id, w.created, w.updated, w.name, w.work_pool_id, w.last_heartbeat_time,
w.heartbeat_interval_seconds, w.status
"""
_UPSERT = """
insert into worker (id, workspace, created, updated, name, work_pool_id, last_heartbeat_time,
  heartbeat_interval_seconds, status) values (?, ?, ?, ?, ?, ?, ?, ?, 'ONLINE')
on conflict (work_pool_id, name) do update set updated = excluded.updated,
  last_heartbeat_time = excluded.last_heartbeat_time, status = 'ONLINE',
  heartbeat_interval_seconds =
    coalesce(excluded.heartbeat_interval_seconds, worker.heartbeat_interval_seconds)
"""


def worker_from_row(row: Row) -> Worker:
    """Shape a row of :data:`COLUMNS`."""
    return Worker(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        work_pool_id=row[4],
        last_heartbeat_time=from_micros(row[5]),
        heartbeat_interval_seconds=row[6],
        status=row[7],
    )


async def heartbeat(
    unit: Unit, ids: Ids, pool_name: str, *, name: str, interval: int | None
) -> str:
    """Record that a worker lives; its pool becomes READY.  Returns the worker's id."""
    pool = await find(unit, pool_name)
    now = unit.micros
    await unit.run(_UPSERT, ids.uuid7(), unit.workspace, now, now, name, pool.id, now, interval)
    if pool.status == "NOT_READY":
        pool = await lock(unit, pool_name)
        if pool.status == "NOT_READY":
            await set_pool_status(unit, ids, pool, "READY")
    found = await unit.value(
        "select id from worker where work_pool_id = ? and name = ?", pool.id, name
    )
    return str(found)


async def delete(unit: Unit, pool_name: str, name: str) -> None:
    """Forget a worker; NotFound without it."""
    pool = await find(unit, pool_name)
    if not await unit.run("delete from worker where work_pool_id = ? and name = ?", pool.id, name):
        message = f"Worker {name!r} of work pool {pool_name!r} not found."
        raise NotFound(message)
