"""What routes do with limits and leases, each in one unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from armillary.concurrency import leases, limits, tags
from armillary.concurrency.leases import Grant, Holder
from armillary.concurrency.limits import Held
from armillary.concurrency.slots import TAG_PREFIX, Limit, has_room, settled, used
from armillary.db.unit import Reader, Row, Unit
from armillary.errors import NotFound, Refused
from armillary.ids import Ids
from armillary_plugins.concurrency.events import announce, announce_tag
from armillary_plugins.concurrency.schemas import CreateLimit, TagLimit, TakeSlots, UpdateLimit

Kind: TypeAlias = Literal["all", "global", "tag", "deployment"]
"""What a limit is of: what clients name, task runs with a tag, or the runs of a deployment."""

_OF_TAG = "(l.name >= 'tag:' and l.name < 'tag;')"
_OF_DEPLOYMENT = "(l.name >= 'deployment:' and l.name < 'deployment;')"
_KINDS: Mapping[Kind, str] = {
    "all": "",
    "tag": f"and {_OF_TAG}",
    "deployment": f"and {_OF_DEPLOYMENT}",
    "global": f"and not {_OF_TAG} and not {_OF_DEPLOYMENT}",
}
_NAMED = f"""
select {limits.LIMIT_COLUMNS}, d.id, d.name from concurrency_limit l
  left join deployment d on {_OF_DEPLOYMENT} and d.id = substr(l.name, 12)
    and d.workspace = l.workspace
where l.workspace = ?"""
_ONE_NAMED = f"{_NAMED} and l.id = ?"
_ANY = "(l.name {ilike} ? escape '\\' or d.name {ilike} ? escape '\\')"
_FIRST = {kind: f"{_NAMED} {only} and {_ANY}" for kind, only in _KINDS.items()}
_HOLDERS = """
select c.id, c.created, c.expires, c.slots, c.holder_type, c.holder_id, f.name, t.name, d.name
from concurrency_lease_limit k join concurrency_lease c on c.id = k.lease_id
  left join flow_run f on c.holder_type = 'flow_run' and f.id = c.holder_id
    and f.workspace = c.workspace
  left join task_run t on c.holder_type = 'task_run' and t.id = c.holder_id
    and t.workspace = c.workspace
  left join deployment d on c.holder_type = 'deployment' and d.id = c.holder_id
    and d.workspace = c.workspace
where k.limit_id = ? and c.workspace = ? and (c.created > ? or (c.created = ? and c.id > ?))
order by c.created, c.id limit ?
"""
_MISSING = "Concurrency Limit not found"


class Named(msgspec.Struct, frozen=True):
    """A limit, and the deployment it is of, if it is of one."""

    limit: Limit
    deployment_id: str | None
    deployment_name: str | None


class Taken(msgspec.Struct, frozen=True):
    """What came of taking slots: the limits that were found, and those without room."""

    found: Sequence[Limit]
    full: Sequence[Limit] = ()


async def find(reader: Reader, id_or_name: str, limit_id: str | None) -> Limit:
    """Find a limit by its id, if that may be one, or by its name; NotFound without it."""
    limit = await limits.read(reader, limit_id) if limit_id else None
    limit = limit or await limits.read_by_name(reader, id_or_name)
    if limit is None:
        raise NotFound(_MISSING)
    return limit


async def create(unit: Unit, ids: Ids, body: CreateLimit) -> Limit:
    """Create a limit; Conflict if its name is taken."""
    limit = body.made(ids.uuid4(), unit.micros)
    await limits.insert(unit, limit)
    announce(unit, ids, "created", limit)
    return limit


async def update(unit: Unit, ids: Ids, limit_id: str, body: UpdateLimit) -> None:
    """Change a limit; Conflict if the name it is to have is taken."""
    stored = await limits.lock(unit, [limit_id])
    if not stored:
        raise NotFound(_MISSING)
    before = settled(stored[0], unit.micros)
    changed = body.applied(before)
    # Another count or another rate begins now; whatever else is changed stalls no decay.
    if body.active_slots is not None or changed.decay != before.decay:
        changed = msgspec.structs.replace(changed, updated=unit.micros)
    await limits.store(unit, [changed])
    announce(unit, ids, "updated", changed)


async def delete(unit: Unit, ids: Ids, limit: Limit) -> None:
    """Delete a limit."""
    await limits.delete(unit, limit.id)
    announce(unit, ids, "deleted", limit)


async def take(unit: Unit, wanted: TakeSlots, grant: Grant | None) -> Taken:
    """Take slots of all active ones of the limits named, or of none, and note who was denied.

    Names nobody knows are passed over.  Refused where it would never be possible.
    """
    found = await limits.lock_named(unit, wanted.names)
    active = [limit for limit in found if limit.active]
    if any(limit.limit < wanted.slots for limit in active):
        raise Refused(422, "Slots requested is greater than the limit")
    if wanted.mode == "rate_limit" and any(limit.decay <= 0 for limit in active):
        raise Refused(422, "Only concurrency limits with slot decay can be used for rate limiting.")
    full = [limit for limit in active if not has_room(limit, wanted.slots, unit.micros)]
    if full:
        return Taken(found, await limits.deny(unit, full, wanted.slots))
    await limits.take(unit, active, wanted.slots)
    if grant is not None and found:
        await leases.create(unit, active, grant)
    return Taken(found)


async def give_back(
    unit: Unit, names: Iterable[str], slots: int, *, seconds: float | None
) -> list[Limit]:
    """Give slots back to the active ones of the limits named; return all that were found."""
    found = await limits.lock_named(unit, names)
    held = {limit.id: [Held(slots, seconds)] for limit in found if limit.active}
    if held:
        await limits.give_back(unit, held)
    return found


async def find_tag(reader: Reader, *, tag: str | None = None, limit_id: str = "") -> Limit:
    """Find the limit on a tag by the tag or by its id; NotFound without it."""
    if tag is None:
        limit = await limits.read(reader, limit_id)
        if limit is not None and limit.name.startswith(TAG_PREFIX):
            return limit
    else:
        limit = await limits.read_by_name(reader, TAG_PREFIX + tag)
        if limit is not None:
            return limit
    raise NotFound("Concurrency limit not found")


async def with_holders(reader: Reader, found: Sequence[Limit]) -> list[TagLimit]:
    """Shape limits on tags with those who hold their slots."""
    held = await leases.of_limits(reader, [limit.id for limit in found])
    return [TagLimit.of(limit, held[limit.id]) for limit in found]


async def set_tag(unit: Unit, ids: Ids, tag: str, slots: int) -> tuple[Limit, bool]:
    """Create the limit on a tag or change its value; tell whether it is new."""
    name = TAG_PREFIX + tag
    found = await limits.lock_named(unit, [name])
    if not found:
        limit = limits.new_limit(ids.uuid4(), name, slots, unit.micros)
        await limits.insert(unit, limit)
        announce_tag(unit, ids, "created", limit)
        return limit, True
    limit = msgspec.structs.replace(settled(found[0], unit.micros), limit=slots)
    await limits.store(unit, [limit])
    announce_tag(unit, ids, "updated", limit)
    return limit, False


async def delete_tag(unit: Unit, ids: Ids, limit: Limit) -> None:
    """Delete the limit on a tag."""
    await limits.delete(unit, limit.id)
    announce_tag(unit, ids, "deleted", limit)


async def reset_tag(unit: Unit, ids: Ids, limit: Limit, holders: Iterable[str]) -> None:
    """Take every slot of the limit back, and give one to each of these task runs."""
    held = await leases.of_limits(unit, [limit.id])
    await leases.give_back(unit, [lease.id for lease in held[limit.id]])
    for stored in await limits.lock(unit, [limit.id]):
        emptied = msgspec.structs.replace(settled(stored, unit.micros), active_slots=0)
        grants = [_for_task_run(ids.uuid4(), each) for each in dict.fromkeys(holders)]
        await limits.store(unit, [msgspec.structs.replace(emptied, active_slots=len(grants))])
        for grant in grants:
            await leases.create(unit, [emptied], grant)


async def take_tags(unit: Unit, ids: Ids, wanted: Sequence[str], task_run_id: str) -> Taken:
    """Take a slot of each of these tags for a task run, until it gives them back."""
    found = await limits.lock_named(unit, tags.names(wanted))
    asked = await tags.asked(unit, task_run_id, wanted)
    full = [limit for limit in asked if used(limit, unit.micros) >= limit.limit]
    if full:
        return Taken(found, await limits.deny(unit, full, 1))
    if asked:
        await leases.take(unit, asked, _for_task_run(ids.uuid4(), task_run_id))
    return Taken(found)


async def give_tags_back(unit: Unit, wanted: Sequence[str], task_run_id: str) -> list[Limit]:
    """Give back what a task run holds of these tags; return the limits that were found."""
    await tags.give_back(unit, task_run_id, wanted)
    return await limits.lock_named(unit, tags.names(wanted))


def _for_task_run(lease_id: str, task_run_id: str) -> Grant:
    holder = Holder("task_run", task_run_id)
    return Grant(id=lease_id, slots=1, expires=leases.NEVER, holder=holder)


async def list_named(  # noqa: PLR0913 - which limits, from where, how many
    reader: Reader,
    kind: Kind,
    pattern: str,
    *,
    limit: int,
    after: str = "",
    before: str = "",
) -> list[Named]:
    """List limits by name: the first, or those behind a name, or before one, the last first."""
    given = (reader.workspace, pattern, pattern)
    if before:
        sql = f"{_FIRST[kind]} and l.name < ? order by l.name desc limit ?"
        rows = await reader.all(sql, *given, before, limit)
    else:
        sql = f"{_FIRST[kind]} and l.name > ? order by l.name limit ?"
        rows = await reader.all(sql, *given, after, limit)
    return [_named(row) for row in rows]


async def read_named(reader: Reader, limit_id: str) -> Named:
    """Read a limit; NotFound without it."""
    row = await reader.one(_ONE_NAMED, reader.workspace, limit_id)
    if row is None:
        raise NotFound(_MISSING)
    return _named(row)


async def list_holders(
    reader: Reader, limit_id: str, *, limit: int, after: tuple[int, str] = (0, "")
) -> Sequence[Row]:
    """List who holds slots of a limit, whoever has them longest first."""
    created, lease_id = after
    return await reader.all(_HOLDERS, limit_id, reader.workspace, created, created, lease_id, limit)


def _named(row: Row) -> Named:
    return Named(limits.limit_from_row(row), row[10], row[11])
