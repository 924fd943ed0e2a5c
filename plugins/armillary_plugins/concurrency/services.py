"""The loop that takes slots back from holders that have gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from armillary import Core, Done, LoopService
from armillary.concurrency import leases
from armillary.concurrency.absence import make_up
from armillary.db.unit import Unit
from armillary_plugins.concurrency.config import Config

_SECOND = 1_000_000
_LATE = 5
"""Seconds by which a turn may be late without anything being the matter."""
_End: TypeAlias = Callable[[Unit, str], Awaitable[bool]]


class TakeSlotsBack(LoopService):
    """Ends leases that nobody renewed, and those without an end whose holder has ended.

    Where a turn comes much later than it should, because the server was not there, stood still,
    had no database, or the clock was put forward, every lease ends that much later too.  How
    late the first turn is that this process takes, it cannot know: so all since the last one of
    whoever took it counts.
    """

    name = "concurrency"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self.config = config
        self._usual = 0

    async def run_once(self) -> Done:
        """End one batch of either; each is looked at again in its own unit of work."""
        late = _LATE * _SECOND if self._usual else 0
        away = await self.core.database.write(
            lambda unit: make_up(unit, usual=self._usual, late=late), workspace=None
        )
        self._usual = int(self.interval * _SECOND)
        if away > self._usual + _LATE * _SECOND:
            self.log.warning("leases are put off by %.0f s: nobody could renew them", away / 1e6)
        return await self._end_batch(self.core.clock.micros())

    async def _end_batch(self, now: int) -> Done:
        reader = self.core.database.read(None)
        batch = self.config.batch
        expired = await leases.expired(reader, now, limit=batch)
        unheard = now - int(self.config.unknown_after * _SECOND)
        abandoned = await leases.abandoned(reader, unheard, limit=batch)
        found: list[tuple[_End, str, int]] = [
            *((leases.give_back_expired, *entry) for entry in expired),
            *((leases.give_back_abandoned, *entry) for entry in abandoned),
        ]
        changed = 0
        for end, lease_id, workspace in self.each(found):
            changed += await self._end(end, lease_id, workspace)
        return Done(found=len(found), changed=changed)

    async def _end(self, end: _End, lease_id: str, workspace: int) -> bool:
        return await self.core.database.write(lambda unit: end(unit, lease_id), workspace=workspace)
