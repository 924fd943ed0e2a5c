"""What becomes of leases when nobody could renew them, or the clock was set.

Leases end at moments of the wall clock.  Two rules keep that fair: who could not be asked for a
renewal does not end what was not renewed, and no lease ends later than one that begins now.
The last look is stored, so that whoever looks next knows how long ago it was.
"""

from __future__ import annotations

from armillary.concurrency.leases import NEVER
from armillary.db.unit import Unit

_NAME = "concurrency"
_LAST_LOOK = "select taken from service_turn where service = ? {for_update}"
_LOOKED = """
insert into service_turn (service, taken) values (?, ?)
on conflict (service) do update set taken = excluded.taken
"""
_NOTHING_TO_LOOK_AT = "delete from service_turn where service = ?"
# When the oldest lease that ends came, when the last one began, when the last one came.
_LEASES = f"""
select min(case when expires < {NEVER} then created end), max(expires - lasts), max(created)
from concurrency_lease
"""
_PUT_OFF = f"""
update concurrency_lease
set expires = case when expires + ? < ? + lasts then expires + ? else ? + lasts end
where expires < {NEVER}
"""
_CAME_NOW = "update concurrency_lease set created = ? where created > ?"


async def make_up(unit: Unit, *, usual: int, late: int) -> int:
    """Put leases off by as long as nobody looked, beyond what is usual, and say how long that was.

    Where that is not more than ``late`` nothing is the matter.  Without a stored look there was
    nothing to look at before the oldest lease.  All in microseconds.
    """
    now = unit.micros
    looked: int | None = await unit.value(_LAST_LOOK, _NAME)
    ((oldest, begun, came),) = await unit.all(_LEASES)
    if came is not None and came > now:
        await unit.run(_CAME_NOW, now, now)
    if oldest is None:
        if looked is not None:
            await unit.run(_NOTHING_TO_LOOK_AT, _NAME)
        return 0
    away: int = now - (oldest if looked is None else looked) - usual
    if away <= late:
        away = 0
    if away or begun > now:
        await unit.run(_PUT_OFF, away, now, away, now)
    await unit.run(_LOOKED, _NAME, now)
    return away
