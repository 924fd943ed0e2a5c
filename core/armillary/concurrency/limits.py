"""Every query on concurrency limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from armillary.clock import from_micros
from armillary.concurrency.slots import Limit, given_back, has_room, refused, settled, taken, used
from armillary.db.filters import json_list
from armillary.db.unit import Reader, Row, Unit
from armillary.ids import Ids

LIMIT_COLUMNS = """
l.id, l.created, l.updated, l.name, l.active, l.slot_limit, l.active_slots, l.denied_slots,
l.slot_decay_per_second, l.avg_slot_occupancy_seconds
"""
DEPLOYMENT_PREFIX = "deployment:"
DEFAULT_OCCUPANCY = 2.0
_BEYOND = "\U0010ffff"

_FROM = f"select {LIMIT_COLUMNS} from concurrency_limit l where l.workspace = ?"
_BY_ID = f"{_FROM} and l.id = ?"
_BY_NAME = f"{_FROM} and l.name = ?"
_LOCKED_BY_NAME = f"{_BY_NAME} {{for_update}}"
_LOCKED = f"{_FROM} and l.id {{in_list}} order by l.id {{for_update}}"
_LOCKED_NAMES = f"{_FROM} and l.name {{in_list}} order by l.id {{for_update}}"
_ANY_NAMED = "select 1 from concurrency_limit where workspace = ? and name {in_list} limit 1"
_LIST = f"{_FROM} and l.name >= ? and l.name < ? order by l.name limit ? offset ?"
_INSERT = """
insert into concurrency_limit (id, workspace, created, updated, name, active, slot_limit,
  active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE = """
update concurrency_limit set updated = ?, name = ?, active = ?, slot_limit = ?, active_slots = ?,
  denied_slots = ?, slot_decay_per_second = ?, avg_slot_occupancy_seconds = ?
where id = ?
"""
_DETACH = "update deployment set concurrency_limit_id = null where concurrency_limit_id = ?"
_FORGET_LEASES = "delete from concurrency_lease_limit where limit_id = ?"
_DELETE = "delete from concurrency_limit where id = ?"


class Held(msgspec.Struct, frozen=True):
    """How many slots were held, and for how many seconds, if anybody knows."""

    slots: int
    seconds: float | None = None


class GlobalLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as answered: ``active_slots`` are those taken now."""

    id: str
    created: datetime
    updated: datetime
    active: bool
    name: str
    limit: int
    active_slots: int
    slot_decay_per_second: float


def limit_from_row(row: Row) -> Limit:
    """Shape a row of :data:`LIMIT_COLUMNS`."""
    return Limit(
        id=row[0],
        created=row[1],
        updated=row[2],
        name=row[3],
        active=bool(row[4]),
        limit=row[5],
        active_slots=row[6],
        denied_slots=row[7],
        decay=row[8],
        occupancy=row[9],
    )


def answered(limit: Limit, now: int) -> GlobalLimit:
    """Shape a limit for the wire."""
    return GlobalLimit(
        id=limit.id,
        created=from_micros(limit.created),
        updated=from_micros(limit.updated),
        active=limit.active,
        name=limit.name,
        limit=limit.limit,
        active_slots=used(limit, now),
        slot_decay_per_second=limit.decay,
    )


def limit_from_columns(row: Row, now: int) -> GlobalLimit | None:
    """Shape the columns of a limit that was joined; None where there was none."""
    return None if row[0] is None else answered(limit_from_row(row), now)


async def exists(reader: Reader, limit_id: str) -> bool:
    """Tell whether the workspace has this limit."""
    return await read(reader, limit_id) is not None


async def read(reader: Reader, limit_id: str) -> Limit | None:
    """Read a limit by its key."""
    row = await reader.one(_BY_ID, reader.workspace, limit_id)
    return None if row is None else limit_from_row(row)


async def read_by_name(reader: Reader, name: str) -> Limit | None:
    """Read a limit by its name."""
    row = await reader.one(_BY_NAME, reader.workspace, name)
    return None if row is None else limit_from_row(row)


async def list_limits(reader: Reader, *, limit: int, offset: int, prefix: str = "") -> list[Limit]:
    """List limits whose names begin with the prefix, by name."""
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else _BEYOND
    rows = await reader.all(_LIST, reader.workspace, prefix, beyond, limit, offset)
    return [limit_from_row(row) for row in rows]


async def any_named(reader: Reader, names: Iterable[str]) -> bool:
    """Tell, by key, whether any of these limits is there."""
    return await reader.one(_ANY_NAMED, reader.workspace, json_list(names)) is not None


async def lock(unit: Unit, limit_ids: Iterable[str]) -> list[Limit]:
    """Lock limits, always in the same order; those that are not there are left out."""
    rows = await unit.all(_LOCKED, unit.workspace, json_list(limit_ids))
    return [limit_from_row(row) for row in rows]


async def lock_named(unit: Unit, names: Iterable[str]) -> list[Limit]:
    """Lock limits by their names, in the same order."""
    rows = await unit.all(_LOCKED_NAMES, unit.workspace, json_list(names))
    return [limit_from_row(row) for row in rows]


async def take(unit: Unit, locked: Sequence[Limit], slots: int) -> bool:
    """Take slots of all of these limits, or of none if one of them has no room."""
    now = unit.micros
    if not all(has_room(limit, slots, now) for limit in locked):
        return False
    await store(unit, [taken(limit, slots, now) for limit in locked])
    return True


async def deny(unit: Unit, locked: Iterable[Limit], slots: int) -> list[Limit]:
    """Note that slots were asked for in vain; return the limits as they are then."""
    noted = [refused(limit, slots, unit.micros) for limit in locked]
    await store(unit, noted)
    return noted


async def give_back(unit: Unit, held: Mapping[str, Sequence[Held]]) -> None:
    """Give slots back by limit; limits that are gone are passed over."""
    changed = []
    for limit in await lock(unit, held):
        for each in held[limit.id]:
            limit = given_back(limit, each.slots, unit.micros, seconds=each.seconds)  # noqa: PLW2901
        changed.append(limit)
    await store(unit, changed)


async def insert(unit: Unit, limit: Limit) -> None:
    """Create a limit; Conflict if its name is taken."""
    await unit.run(
        _INSERT, limit.id, unit.workspace, limit.created, limit.updated, limit.name,
        int(limit.active), limit.limit, limit.active_slots, limit.denied_slots, limit.decay,
        limit.occupancy,
    )  # fmt: skip


async def store(unit: Unit, limits: Iterable[Limit]) -> None:
    """Write limits that were read and locked in this unit."""
    await unit.many(
        _UPDATE,
        [
            (
                limit.updated, limit.name, int(limit.active), limit.limit, limit.active_slots,
                limit.denied_slots, limit.decay, limit.occupancy, limit.id,
            )
            for limit in limits
        ],
    )  # fmt: skip


async def delete(unit: Unit, limit_id: str) -> None:
    """Delete a limit: deployments lose it, leases outlive it and give nothing back."""
    await unit.run(_DETACH, limit_id)
    await unit.run(_FORGET_LEASES, limit_id)
    await unit.run(_DELETE, limit_id)


async def set_deployment_limit(unit: Unit, ids: Ids, deployment_id: str, slots: int) -> str:
    """Give a deployment a limit of its own, or its own another value; return the limit's id."""
    name = DEPLOYMENT_PREFIX + deployment_id
    row = await unit.one(_LOCKED_BY_NAME, unit.workspace, name)
    if row is None:
        limit = new_limit(ids.uuid4(), name, slots, unit.micros)
        await insert(unit, limit)
        return limit.id
    limit = limit_from_row(row)
    if limit.limit != slots:
        await store(unit, [msgspec.structs.replace(settled(limit, unit.micros), limit=slots)])
    return limit.id


async def drop_deployment_limit(unit: Unit, deployment_id: str) -> None:
    """Delete the limit a deployment has of its own, if it has one."""
    row = await unit.one(_LOCKED_BY_NAME, unit.workspace, DEPLOYMENT_PREFIX + deployment_id)
    if row is not None:
        await delete(unit, row[0])


def new_limit(limit_id: str, name: str, slots: int, now: int) -> Limit:
    """Make an active limit without decay that nobody uses yet."""
    return Limit(
        id=limit_id,
        created=now,
        updated=now,
        name=name,
        active=True,
        limit=slots,
        active_slots=0,
        denied_slots=0,
        decay=0.0,
        occupancy=DEFAULT_OCCUPANCY,
    )
