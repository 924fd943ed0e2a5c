"""Every query on leases: who holds slots, of which limits, and until when.

A lease names the limits it counts in, and what it holds is given back by whoever deletes it: so
it is given back once.  Rows are locked in one order: run, lease, limits by id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from armillary.concurrency import limits
from armillary.concurrency.limits import Held
from armillary.concurrency.slots import Limit
from armillary.db.filters import json_list
from armillary.db.unit import Reader, Row, Unit

NEVER = 2**62
"""When a lease expires that does not: its holder cannot renew it."""
_SECOND = 1_000_000
_COLUMNS = "c.id, c.created, c.expires, c.slots, c.holder_type, c.holder_id"
_FROM = f"select {_COLUMNS} from concurrency_lease c where c.workspace = ?"
_ON_LIMIT = """exists (
  select 1 from concurrency_lease_limit k where k.lease_id = c.id and k.limit_id = ?)"""
_INSERT = """
insert into concurrency_lease
  (id, workspace, created, expires, lasts, slots, holder_type, holder_id)
values (?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_LIMIT = "insert into concurrency_lease_limit (limit_id, lease_id) values (?, ?)"
_RENEW = "update concurrency_lease set expires = ?, lasts = ? where workspace = ? and id = ?"
_PROLONG = f"{_RENEW} and expires < ?"
_LOCKED = f"{_FROM} and c.id {{in_list}} order by c.id {{for_update}}"
_LIMITS = "select lease_id, limit_id from concurrency_lease_limit where lease_id {in_list}"
_DELETE = "delete from concurrency_lease where id {in_list}"
_DELETE_LIMITS = "delete from concurrency_lease_limit where lease_id {in_list}"
_OF_HOLDER = f"{_FROM} and c.holder_id = ? and c.holder_type = ? order by c.id"
_OF_RUN = f"""
{_FROM} and c.holder_id = ? and c.holder_type = 'flow_run' and (c.id = ? or {_ON_LIMIT})
order by c.id
"""
_OF_LIMITS = f"""
select {_COLUMNS}, k.limit_id
from concurrency_lease_limit k cross join concurrency_lease c
where k.limit_id {{in_list}} and c.id = k.lease_id and c.workspace = ?
order by c.created, c.id
"""
_EXPIRED = "select id, workspace from concurrency_lease where expires <= ? order by expires limit ?"
_ABANDONED = f"""
select c.id, c.workspace from concurrency_lease c
  left join flow_run f on c.holder_type = 'flow_run' and f.id = c.holder_id
  left join task_run t on c.holder_type = 'task_run' and t.id = c.holder_id
where c.expires = {NEVER} and (
  coalesce(f.state_type, t.state_type) in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
  or (f.id is null and t.id is null and c.created < ?))
order by c.id limit ?
"""

HolderType: TypeAlias = Literal["flow_run", "task_run", "deployment"]


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lease."""

    type: HolderType
    id: str


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease as stored; times in microseconds."""

    id: str
    created: int
    expires: int
    slots: int
    holder: Holder | None

    def seconds_held(self, now: int) -> float:
        """Tell for how long its slots have been taken."""
        return max(0, now - self.created) / _SECOND


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A lease to be: its id, how many slots of each limit, until when and for whom."""

    id: str
    slots: int
    expires: int
    holder: Holder | None


def after(now: int, seconds: float) -> int:
    """Tell when a lease of so many seconds ends."""
    return now + int(seconds * _SECOND)


def derived_id(holder_id: str, now: int, chance: float) -> str:
    """Make the id of the lease that this holder is given by one decision, and no other.

    The rule that takes a slot and its undoing both know it.
    """
    digest = hashlib.sha256(f"{holder_id} {now} {chance!r}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


async def take(unit: Unit, locked: Sequence[Limit], grant: Grant) -> bool:
    """Take slots of all of these limits under a new lease, or change nothing."""
    if not await limits.take(unit, locked, grant.slots):
        return False
    await create(unit, locked, grant)
    return True


async def create(unit: Unit, counted: Iterable[Limit], grant: Grant) -> None:
    """Store a lease on slots that were taken."""
    holder = grant.holder
    await unit.run(
        _INSERT, grant.id, unit.workspace, unit.micros, grant.expires, grant.expires - unit.micros,
        grant.slots, holder and holder.type, holder and holder.id,
    )  # fmt: skip
    await unit.many(_INSERT_LIMIT, [(limit.id, grant.id) for limit in counted])


async def renew(unit: Unit, lease_id: str, expires: int) -> bool:
    """Let a lease end at another time, even one past its end; False if it is gone."""
    lasts = expires - unit.micros
    return bool(await unit.run(_RENEW, expires, lasts, unit.workspace, lease_id))


async def prolong(unit: Unit, lease_id: str, expires: int) -> None:
    """Let a lease not end before that time."""
    lasts = expires - unit.micros
    await unit.run(_PROLONG, expires, lasts, unit.workspace, lease_id, expires)


async def give_back(unit: Unit, lease_ids: Iterable[str], *, timed: bool = False) -> int:
    """Give back what leases hold, and end them; return how many there were.

    ``timed`` counts how long the slots were taken into what waiters are told.
    """
    rows = await unit.all(_LOCKED, unit.workspace, json_list(lease_ids))
    leases = {row[0]: _lease(row) for row in rows}
    if not leases:
        return 0
    ended = json_list(leases)
    held: dict[str, list[Held]] = {}
    for lease_id, limit_id in await unit.all(_LIMITS, ended):
        lease = leases[lease_id]
        seconds = lease.seconds_held(unit.micros) if timed else None
        held.setdefault(limit_id, []).append(Held(lease.slots, seconds))
    await unit.run(_DELETE_LIMITS, ended)
    await unit.run(_DELETE, ended)
    if held:
        await limits.give_back(unit, held)
    return len(leases)


async def give_back_expired(unit: Unit, lease_id: str) -> bool:
    """Do the same for a lease that is still past its end."""
    lease = await _lock(unit, lease_id)
    if lease is None or lease.expires > unit.micros:
        return False
    return bool(await give_back(unit, [lease_id], timed=True))


async def give_back_abandoned(unit: Unit, lease_id: str) -> bool:
    """Do the same for a lease that still has no end."""
    lease = await _lock(unit, lease_id)
    if lease is None or lease.expires != NEVER:
        return False
    return bool(await give_back(unit, [lease_id]))


async def _lock(unit: Unit, lease_id: str) -> Lease | None:
    rows = await unit.all(_LOCKED, unit.workspace, json_list([lease_id]))
    return _lease(rows[0]) if rows else None


async def of_holder(reader: Reader, holder: Holder) -> list[Lease]:
    """Find what somebody holds."""
    rows = await reader.all(_OF_HOLDER, reader.workspace, holder.id, holder.type)
    return [_lease(row) for row in rows]


async def of_run(
    reader: Reader, run_id: str, *, lease_id: str | None, limit_id: str | None
) -> list[Lease]:
    """Find the slot a flow run holds of its deployment: by its state, or by the limit."""
    rows = await reader.all(_OF_RUN, reader.workspace, run_id, lease_id or "", limit_id or "")
    return [_lease(row) for row in rows]


async def of_limits(reader: Reader, limit_ids: Iterable[str]) -> dict[str, list[Lease]]:
    """Find who holds slots of each of these limits, oldest first."""
    found: dict[str, list[Lease]] = {limit_id: [] for limit_id in limit_ids}
    for row in await reader.all(_OF_LIMITS, json_list(found), reader.workspace):
        found[row[6]].append(_lease(row))
    return found


async def expired(reader: Reader, now: int, *, limit: int) -> list[tuple[str, int]]:
    """Find leases past their end, with their workspaces, oldest first."""
    return [(row[0], row[1]) for row in await reader.all(_EXPIRED, now, limit)]


async def abandoned(reader: Reader, before: int, *, limit: int) -> list[tuple[str, int]]:
    """Find leases without an end whose holder has ended, or was never heard of since then."""
    return [(row[0], row[1]) for row in await reader.all(_ABANDONED, before, limit)]


def _lease(row: Row) -> Lease:
    return Lease(
        id=row[0],
        created=row[1],
        expires=row[2],
        slots=row[3],
        holder=None if row[5] is None else Holder(row[4], row[5]),
    )
