"""Queries on work pools."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Reader, Row, Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import Conflict, NotFound
from armillary.ids import Ids
from armillary.work_pools.changes import SHOWN, announce
from armillary.work_pools.events import (
    PoolRef,
    QueueRef,
    emit_pool,
    emit_queue,
    set_pool_status,
)
from armillary.work_pools.schemas import CreateWorkPool, WorkPool
from armillary.work_pools.taking import TAKING

COLUMNS = f"""
p.id, p.created, p.updated, p.name, p.description, p.type, p.base_job_template, p.is_paused,
p.concurrency_limit, p.status, p.default_queue_id, p.storage_configuration,
case when p.concurrency_limit is null then null else (
  select count(*) from work_queue q join flow_run r on r.work_queue_id = q.id
  where q.work_pool_id = p.id and {TAKING}) end
"""
_BY_NAME = f"select {COLUMNS} from work_pool p where p.workspace = ? and p.name = ?"
_REF = """
select id, name, type, status, last_status_event_id, last_transitioned_status_at, is_paused,
  description, base_job_template, concurrency_limit, storage_configuration
from work_pool where workspace = ? and name = ? {for_update}
"""
_INSERT = """
insert into work_pool (id, workspace, created, updated, name, description, type,
  base_job_template, is_paused, concurrency_limit, default_queue_id, status,
  storage_configuration) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, ?)
"""
_DELETES = (
    "delete from worker where work_pool_id = ?",
    "delete from work_queue where work_pool_id = ?",
    "delete from work_pool where id = ?",
)
_encode = msgspec.json.Encoder().encode
AGENT = "prefect-agent"
_DEFAULT_QUEUE = "The default queue of its work pool."


def pool_from_row(row: Row) -> WorkPool:
    """Shape a row of :data:`COLUMNS`."""
    return WorkPool(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        description=row[4],
        type=row[5],
        base_job_template=msgspec.Raw(row[6].encode()),
        is_paused=bool(row[7]),
        concurrency_limit=row[8],
        status=row[9],
        default_queue_id=row[10],
        storage_configuration=msgspec.Raw(row[11].encode()),
        active_slots=row[12],
    )


async def read(reader: Reader, name: str) -> WorkPool:
    """Read a pool; NotFound if the workspace has none of that name."""
    row = await reader.one(_BY_NAME, reader.workspace, name)
    if row is None:
        message = f"Work pool {name!r} not found."
        raise NotFound(message)
    return pool_from_row(row)


async def find(reader: Reader, name: str) -> PoolRef:
    """Find a pool by name, for events and queues; NotFound without it."""
    row = await reader.one(_REF.replace("{for_update}", ""), reader.workspace, name)
    if row is None:
        message = f"Work pool {name!r} not found."
        raise NotFound(message)
    return _ref(row)


async def lock(unit: Unit, name: str) -> PoolRef:
    """Find a pool and keep others from changing it or its queues; NotFound without it."""
    row = await unit.one(_REF, unit.workspace, name)
    if row is None:
        message = f"Work pool {name!r} not found."
        raise NotFound(message)
    return _ref(row)


def _ref(row: Row) -> PoolRef:
    return PoolRef(
        id=row[0],
        name=row[1],
        type=row[2],
        status=row[3],
        last_status_event_id=row[4],
        last_status_at=row[5],
    )


async def create(unit: Unit, ids: Ids, new: CreateWorkPool) -> None:
    """Create a pool and its default queue; Conflict if the name is taken."""
    taken = await unit.one(
        "select 1 from work_pool where workspace = ? and name = ?", unit.workspace, new.name
    )
    if taken is not None:
        message = "A work pool with this name already exists."
        raise Conflict(message)
    pool = PoolRef(id=ids.uuid7(), name=new.name, type=new.type)
    queue = QueueRef(id=ids.uuid7(), name="default")
    now = unit.micros
    await unit.run(
        _INSERT, pool.id, unit.workspace, now, now, new.name, new.description, new.type,
        _encode(new.base_job_template).decode(), int(new.is_paused), new.concurrency_limit,
        queue.id, _encode(new.storage_configuration).decode(),
    )  # fmt: skip
    await insert_queue(unit, queue, pool, priority=1, description=_DEFAULT_QUEUE)
    emit_queue(unit, ids.uuid7(), "created", queue, pool)
    emit_pool(unit, ids.uuid7(), "created", pool, default_queue=queue)
    if new.type != AGENT:
        await set_pool_status(unit, ids, pool, "PAUSED" if new.is_paused else "NOT_READY")


async def insert_queue(  # noqa: PLR0913 - the columns
    unit: Unit,
    queue: QueueRef,
    pool: PoolRef,
    *,
    priority: int,
    description: str = "",
    is_paused: bool = False,
    concurrency_limit: int | None = None,
    queue_filter: str | None = None,
) -> None:
    """Insert a queue's row."""
    await unit.run(
        """insert into work_queue (id, workspace, created, updated, name, description, is_paused,
          concurrency_limit, priority, work_pool_id, filter, last_polled, status)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, 'NOT_READY')""",
        queue.id, unit.workspace, unit.micros, unit.micros, queue.name, description,
        int(is_paused), concurrency_limit, priority, pool.id, queue_filter,
    )  # fmt: skip


_WATCHED = {
    "description": 7,
    "base_job_template": 8,
    "concurrency_limit": 9,
    "storage_configuration": 10,
}


async def update(unit: Unit, ids: Ids, name: str, changes: Mapping[str, object]) -> None:
    """Write the given columns, shaped for the database, and announce what changed."""
    row = await unit.one(_REF, unit.workspace, name)
    if row is None:
        message = f"Work pool {name!r} not found."
        raise NotFound(message)
    pool = _ref(row)
    assignments = ", ".join(f"{column} = ?" for column in ("updated", *changes))
    await unit.run(
        f"update work_pool set {assignments} where id = ?",
        unit.micros,
        *changes.values(),
        pool.id,
    )
    updates = {
        column: {"from": _document(column, row[place]), "to": _document(column, changes[column])}
        for column, place in _WATCHED.items()
        if column in changes and changes[column] != row[place]
    }
    if updates:
        emit_pool(unit, ids.uuid7(), "updated", pool, updates=updates)
    if SHOWN & changes.keys():
        announce(unit, ids, pool.id)
    if "is_paused" in changes and pool.type != AGENT:
        status = "PAUSED" if changes["is_paused"] else await _unpaused(unit, pool.id)
        await set_pool_status(unit, ids, pool, status)


def _document(column: str, value: object) -> object:
    if column in ("base_job_template", "storage_configuration") and isinstance(value, str):
        return msgspec.Raw(value.encode())
    return value


async def _unpaused(unit: Unit, pool_id: str) -> str:
    online = await unit.one(
        "select 1 from worker where work_pool_id = ? and status = 'ONLINE' limit 1", pool_id
    )
    return "READY" if online is not None else "NOT_READY"


async def delete(unit: Unit, ids: Ids, name: str, deletions: Deletions) -> None:
    """Delete a pool with its queues and workers; runs and deployments lose their queue."""
    pool = await lock(unit, name)
    queues = await unit.all("select id, name from work_queue where work_pool_id = ?", pool.id)
    for statement in _DELETES:
        await unit.run(statement, pool.id)
    await deletions.delete_below(unit, "work_queue", [queue[0] for queue in queues])
    for queue in queues:
        emit_queue(unit, ids.uuid7(), "deleted", QueueRef(id=queue[0], name=queue[1]), pool)
    emit_pool(unit, ids.uuid7(), "deleted", pool)
    announce(unit, ids, pool.id)
