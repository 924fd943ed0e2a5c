"""Queries on work queues."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.db.unit import Reader, Row, Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import Conflict, NotFound
from armillary.ids import Ids
from armillary.work_pools.events import PoolRef, QueueRef, emit_queue, word
from armillary.work_pools.priorities import first_free, placed
from armillary.work_pools.repository.pools import find, insert_queue, lock
from armillary.work_pools.schemas import QUEUE_POLLED_WITHIN, CreateWorkQueue, WorkQueue
from armillary.work_pools.taking import TAKING

COLUMNS = f"""
q.id, q.created, q.updated, q.name, q.description, q.is_paused, q.concurrency_limit, q.priority,
q.work_pool_id, q.filter, q.last_polled, p.name, q.status,
case when q.concurrency_limit is null then null else (
  select count(*) from flow_run r where r.work_queue_id = q.id and {TAKING}) end
"""
_FROM = "from work_queue q join work_pool p on p.id = q.work_pool_id"
_BY_NAME = f"select {COLUMNS} {_FROM} where p.workspace = ? and p.name = ? and q.name = ?"
_BY_ID = f"select {COLUMNS} {_FROM} where q.workspace = ? and q.id = ?"
_REF = """
select q.id, q.name, q.status, q.last_polled, q.description, q.concurrency_limit, q.priority,
  p.id, p.name, p.type, p.default_queue_id
from work_queue q join work_pool p on p.id = q.work_pool_id
where q.workspace = ? and q.id = ?
"""
_LOCK_POOL = "select 1 from work_pool where id = ? {for_update}"
_PRIORITIES = "select id, priority from work_queue where work_pool_id = ?"
_encode = msgspec.json.Encoder().encode
AGENT_POOL = "default-agent-pool"
"""The pool of queues that were made without a pool."""


def queue_from_row(row: Row) -> WorkQueue:
    """Shape a row of :data:`COLUMNS`."""
    return WorkQueue(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        description=row[4],
        is_paused=bool(row[5]),
        concurrency_limit=row[6],
        priority=row[7],
        work_pool_id=row[8],
        filter=msgspec.Raw((row[9] or "null").encode()),
        last_polled=maybe_moment(row[10]),
        work_pool_name=row[11],
        status=row[12],
        active_slots=row[13],
    )


async def read(reader: Reader, pool: str, name: str) -> WorkQueue:
    """Read a queue by its pool's name and its own; NotFound without it."""
    row = await reader.one(_BY_NAME, reader.workspace, pool, name)
    if row is None:
        message = f"Work queue {name!r} of work pool {pool!r} not found."
        raise NotFound(message)
    return queue_from_row(row)


async def read_by_id(reader: Reader, queue_id: str) -> WorkQueue:
    """Read a queue by its id; NotFound without it."""
    row = await reader.one(_BY_ID, reader.workspace, queue_id)
    if row is None:
        message = f"Work queue {queue_id} not found."
        raise NotFound(message)
    return queue_from_row(row)


async def create(unit: Unit, ids: Ids, pool_name: str, new: CreateWorkQueue) -> str:
    """Create a queue; Conflict if its pool has one of that name.  Returns its id."""
    pool = await lock(unit, pool_name)
    taken = await unit.one(
        "select 1 from work_queue where work_pool_id = ? and name = ?", pool.id, new.name
    )
    if taken is not None:
        message = f"A work queue named {new.name!r} already exists in work pool {pool_name!r}."
        raise Conflict(message)
    queue = QueueRef(id=ids.uuid7(), name=new.name)
    priorities = {row[0]: row[1] for row in await unit.all(_PRIORITIES, pool.id)}
    priority = new.priority or first_free(priorities)
    await _move(unit, placed(priorities, queue.id, priority), but=queue.id)
    await insert_queue(
        unit,
        queue,
        pool,
        priority=priority,
        description=new.description,
        is_paused=new.is_paused,
        concurrency_limit=new.concurrency_limit,
        queue_filter=None if new.filter is None else _encode(new.filter).decode(),
    )
    emit_queue(unit, ids.uuid7(), "created", queue, pool)
    return queue.id


async def ensure(unit: Unit, ids: Ids, pool_name: str, name: str) -> str:
    """Return the id of a pool's queue, made if it is not there; NotFound without the pool."""
    for look in (find, lock):
        pool = await look(unit, pool_name)
        found = await unit.value(
            "select id from work_queue where work_pool_id = ? and name = ?", pool.id, name
        )
        if found is not None:
            return str(found)
    return await create(unit, ids, pool_name, CreateWorkQueue(name=name))


async def _move(unit: Unit, priorities: Mapping[str, int], *, but: str) -> None:
    rows = [(place, unit.micros, each) for each, place in priorities.items() if each != but]
    if rows:
        await unit.many("update work_queue set priority = ?, updated = ? where id = ?", rows)


async def update(unit: Unit, ids: Ids, queue_id: str, changes: Mapping[str, object]) -> None:
    """Write the given columns, shaped for the database; announce what and which status changed."""
    row = await unit.one(_REF, unit.workspace, queue_id)
    if row is None:
        message = f"Work queue {queue_id} not found."
        raise NotFound(message)
    pool = PoolRef(id=row[7], name=row[8], type=row[9])
    changes = dict(changes)
    priority = changes.pop("priority", None)
    if isinstance(priority, int):
        await unit.one(_LOCK_POOL, pool.id)
        priorities = {each[0]: each[1] for each in await unit.all(_PRIORITIES, pool.id)}
        await _move(unit, placed(priorities, queue_id, priority), but=queue_id)
        changes["priority"] = priority
    status = _status_after(row[2], row[3], changes.get("is_paused"), unit.micros)
    if status is not None:
        changes["status"] = status
    if not changes:
        return
    assignments = ", ".join(f"{column} = ?" for column in ("updated", *changes))
    await unit.run(
        f"update work_queue set {assignments} where id = ?",
        unit.micros,
        *changes.values(),
        queue_id,
    )
    queue = QueueRef(id=queue_id, name=str(changes.get("name", row[1])))
    watched = {"name": row[1], "description": row[4], "concurrency_limit": row[5],
               "priority": row[6]}  # fmt: skip
    updates = {
        column: {"from": before, "to": changes[column]}
        for column, before in watched.items()
        if column in changes and changes[column] != before
    }
    if updates:
        emit_queue(unit, ids.uuid7(), "updated", queue, pool, updates=updates)
    if status is not None and status != row[2]:
        emit_queue(unit, ids.uuid7(), word(status), queue, pool)


def _status_after(status: str, last_polled: int | None, is_paused: object, now: int) -> str | None:
    """Say which status a queue takes when it is paused or unpaused; None where it keeps its own."""
    if is_paused is None:
        return None
    if is_paused:
        return "PAUSED"
    if status != "PAUSED":
        return None
    polled = last_polled is not None and now - last_polled <= QUEUE_POLLED_WITHIN * 1e6
    return "READY" if polled else "NOT_READY"


async def delete(unit: Unit, ids: Ids, queue_id: str, deletions: Deletions) -> None:
    """Delete a queue; Conflict for a pool's default queue."""
    row = await unit.one(_REF, unit.workspace, queue_id)
    if row is None:
        message = f"Work queue {queue_id} not found."
        raise NotFound(message)
    if row[10] == queue_id:
        message = (
            f"Work queue {row[1]!r} is the default queue of work pool {row[8]!r}: delete the pool, "
            "or pause the queue."
        )
        raise Conflict(message)
    await unit.run("delete from work_queue where id = ?", queue_id)
    await deletions.delete_below(unit, "work_queue", [queue_id])
    pool = PoolRef(id=row[7], name=row[8], type=row[9])
    emit_queue(unit, ids.uuid7(), "deleted", QueueRef(id=queue_id, name=row[1]), pool)


async def id_of(reader: Reader, pool: str, name: str) -> str:
    """Return the id of a pool's queue; NotFound without it."""
    found = await reader.value(
        "select q.id from work_queue q join work_pool p on p.id = q.work_pool_id "
        "where p.workspace = ? and p.name = ? and q.name = ?",
        reader.workspace,
        pool,
        name,
    )
    if found is None:
        message = f"Work queue {name!r} of work pool {pool!r} not found."
        raise NotFound(message)
    return str(found)
