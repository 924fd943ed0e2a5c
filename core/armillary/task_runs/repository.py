"""Every query on task runs that is neither a decision about a state nor a list of filters."""

from __future__ import annotations

import hashlib
from datetime import datetime

from armillary.clock import maybe_micros, to_micros
from armillary.concurrency import tags
from armillary.db.unit import Reader, Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import NotFound
from armillary.orchestration.states import State
from armillary.orchestration.wire import WireState, state_from_row, wire_from_row
from armillary.task_runs.schemas import COLUMNS, JOINS, TaskRun, task_run_from_row

STATE_COLUMNS = "s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details"
_INDEXED = 400
"""Characters of a cache key that are looked up as they are; longer ones by their digest."""

_BY_ID = f"select {COLUMNS} from task_run r {JOINS} where r.id = ? and r.workspace = ?"
_EXISTS = "select 1 from task_run where id = ? and workspace = ? {for_update}"
_RENAME = "update task_run set name = ?, updated = ? where id = ?"
_DELETE = "delete from task_run where id = ?"
_STATE = f"""
select {STATE_COLUMNS} from task_run_state s join task_run r on r.id = s.task_run_id
where s.id = ? and r.workspace = ?
"""
_STATES = f"""
select {STATE_COLUMNS} from task_run_state s join task_run r on r.id = s.task_run_id
where s.task_run_id = ? and r.workspace = ? order by s.timestamp, s.id
"""
_CACHED = f"""
select {STATE_COLUMNS} from task_run_state_cache c
  join task_run_state s on s.id = c.task_run_state_id
where c.workspace = ? and c.cache_key = ? and (c.cache_expiration is null or c.cache_expiration > ?)
order by c.created desc, c.id desc limit 1
"""
_FORGET_EXPIRED = """
delete from task_run_state_cache where workspace = ? and cache_key = ? and cache_expiration <= ?
"""
_STORE = """
insert into task_run_state_cache
  (workspace, cache_key, cache_expiration, task_run_state_id, created) values (?, ?, ?, ?, ?)
"""


async def read_task_run(reader: Reader, run_id: str, *, now: int) -> TaskRun | None:
    """Read a task run of the reader's workspace; ``now`` is in microseconds."""
    row = await reader.one(_BY_ID, run_id, reader.workspace)
    return None if row is None else task_run_from_row(row, now=now)


async def rename(unit: Unit, run_id: str, name: str | None) -> None:
    """Give a task run another name, or, with None, leave it; NotFound if it is not there."""
    await _require(unit, run_id, "Task run not found")
    if name is not None:
        await unit.run(_RENAME, name, unit.micros, run_id)


async def delete(unit: Unit, run_id: str, deletions: Deletions) -> None:
    """Delete a task run with its states, giving back its slots; its subflow runs stay."""
    await _require(unit, run_id, "Task not found")
    await tags.give_back_of_task_run(unit, run_id)
    await unit.run(_DELETE, run_id)
    await deletions.delete_below(unit, "task_run", [run_id])


async def _require(unit: Unit, run_id: str, missing: str) -> None:
    if await unit.one(_EXISTS, run_id, unit.workspace) is None:
        raise NotFound(missing)


async def read_state(reader: Reader, state_id: str) -> WireState | None:
    """Read one state of a task run."""
    row = await reader.one(_STATE, state_id, reader.workspace)
    return None if row is None else wire_from_row(row)


async def list_states(reader: Reader, run_id: str) -> list[WireState | None]:
    """List a task run's states, the first one first."""
    return [wire_from_row(row) for row in await reader.all(_STATES, run_id, reader.workspace)]


async def cached_state(unit: Unit, cache_key: str, now: datetime) -> State | None:
    """Return the newest state stored under a key in the workspace that has not expired."""
    row = await unit.one(_CACHED, unit.workspace, indexed(cache_key), to_micros(now))
    return None if row is None else state_from_row(row)


async def store_cached_state(
    unit: Unit, cache_key: str, expiration: datetime | None, state_id: str
) -> None:
    """Store a state under a key, in the place of what has expired there."""
    key = indexed(cache_key)
    await unit.run(_FORGET_EXPIRED, unit.workspace, key, unit.micros)
    await unit.run(_STORE, unit.workspace, key, maybe_micros(expiration), state_id, unit.micros)


def indexed(cache_key: str) -> str:
    """Shorten a key to what the index of either database takes."""
    if len(cache_key) <= _INDEXED:
        return cache_key
    return f"sha256:{hashlib.sha256(cache_key.encode()).hexdigest()}"
