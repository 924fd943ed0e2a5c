"""The loop that takes slots back from holders that have gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from armillary import Core, Done, LoopService
from armillary.concurrency import leases
from armillary.db.unit import Unit
from armillary_plugins.concurrency.config import Config

_SECOND = 1_000_000
_End: TypeAlias = Callable[[Unit, str], Awaitable[bool]]


class TakeSlotsBack(LoopService):
    """Ends leases that nobody renewed, and those without an end whose holder has ended."""

    name = "concurrency"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self.config = config

    async def run_once(self) -> Done:
        """End one batch of either; each is looked at again in its own unit of work."""
        reader, now = self.core.database.read(None), self.core.clock.micros()
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
