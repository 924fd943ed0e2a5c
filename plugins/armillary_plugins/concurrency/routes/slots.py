"""Routes that take slots and give them back, under a lease or without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from weakref import WeakKeyDictionary

from armillary import Core
from armillary.api import Answer, Call, Routes
from armillary.concurrency import leases, limits
from armillary.concurrency.leases import Grant
from armillary.concurrency.slots import Limit
from armillary.db.unit import Unit
from armillary.errors import Refused
from armillary_plugins.concurrency import repository
from armillary_plugins.concurrency.repository import Taken
from armillary_plugins.concurrency.schemas import (
    EndLease,
    GiveSlotsBack,
    Granted,
    RenewLease,
    ShortLimit,
    TakeSlots,
    TakeSlotsUnderLease,
    checked_duration,
    short,
)
from armillary_plugins.concurrency.waiting import WaitingRoom

routes = Routes(tag="Concurrency limits")
_RUN = "run_tasks"
_ON_NOTHING = "00000000-0000-8000-8000-"
"""How ids of leases begin that hold nothing: nobody stores them, so no client need end them."""
_Taking: TypeAlias = Callable[[Unit], Awaitable[Taken]]
_ROOMS: WeakKeyDictionary[Core, WaitingRoom] = WeakKeyDictionary()


@routes.post(
    "/v2/concurrency_limits/increment",
    scope=_RUN,
    answers={200: list[ShortLimit]},
    hot=True,
    refuses=(423,),
)
async def take_slots(call: Call, body: TakeSlots) -> Answer:
    """Take slots of all of these limits, or of none; 423 says when to ask again."""
    body.check()
    found = await _taken(call, body, lambda unit: repository.take(unit, body, None))
    return Answer.json(short(found))


@routes.post(
    "/v2/concurrency_limits/increment-with-lease",
    scope=_RUN,
    answers={200: Granted},
    hot=True,
    refuses=(423,),
)
async def take_slots_under_lease(call: Call, body: TakeSlotsUnderLease) -> Answer:
    """Take slots that come back by themselves unless the lease is renewed."""
    body.check()
    lease_id = call.core.ids.uuid4()

    async def work(unit: Unit) -> Taken:
        grant = Grant(
            id=lease_id,
            slots=body.slots,
            expires=leases.after(unit.micros, body.lease_duration),
            holder=body.held_by(),
        )
        return await repository.take(unit, body, grant)

    found = await _taken(call, body, work)
    return Answer.json(Granted(lease_id if found else _ON_NOTHING + lease_id[-12:], short(found)))


async def _taken(call: Call, body: TakeSlots, work: _Taking) -> Sequence[Limit]:
    """Take slots and return the limits that were found; Refused (423) where there is no room."""
    if not await limits.any_named(call.read(), body.names):
        return []
    taken = await call.write(work)
    if taken.full:
        room = _ROOMS.setdefault(call.core, WaitingRoom())
        seconds = room.send_away(
            list(taken.full),
            body.slots,
            call.core.clock.micros(),
            chance=call.core.chance.random(),
        )
        raise Refused(423, "Locked", headers={"Retry-After": str(seconds)})
    return taken.found


@routes.post(
    "/v2/concurrency_limits/decrement", scope=_RUN, answers={200: list[ShortLimit]}, hot=True
)
async def give_slots_back(call: Call, body: GiveSlotsBack) -> Answer:
    """Give back slots that were taken without a lease."""
    body.check()

    async def work(unit: Unit) -> list[Limit]:
        return await repository.give_back(
            unit, body.names, body.slots, seconds=body.occupancy_seconds
        )

    return Answer.json(short(await call.write(work)))


@routes.post(
    "/v2/concurrency_limits/decrement-with-lease", scope=_RUN, answers={204: None}, hot=True
)
async def end_lease(call: Call, body: EndLease) -> Answer:
    """Give back what a lease holds; one that is gone is no error."""
    lease_id = str(body.lease_id)
    if not lease_id.startswith(_ON_NOTHING):
        await call.write(lambda unit: leases.give_back(unit, [lease_id], timed=True))
    return Answer.empty()


@routes.post(
    "/v2/concurrency_limits/leases/{lease_id:uuid}/renew",
    scope=_RUN,
    answers={204: None},
    hot=True,
    refuses=(410,),
)
async def renew_lease(call: Call, body: RenewLease) -> Answer:
    """Let a lease end later; 410 where it is gone, and its slots with it."""
    checked_duration(body.lease_duration)
    lease_id = call.path["lease_id"]
    if lease_id.startswith(_ON_NOTHING):
        return Answer.empty()

    async def work(unit: Unit) -> bool:
        return await leases.renew(unit, lease_id, leases.after(unit.micros, body.lease_duration))

    if not await call.write(work):
        raise Refused(410, "Lease not found: it has ended, and its slots were given back.")
    return Answer.empty()
