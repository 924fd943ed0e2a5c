"""Who runs a singleton: a row with a deadline, taken and prolonged in one statement.

A deadline twice as far away as one that is set now was set before the clock was put back, and
binds nobody: its holder may be gone.  What takes longer than a lease prolongs it meanwhile.
Where this process is the only one on its database there is no contest and no row.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from armillary.db.unit import Unit
from armillary.errors import Unavailable

if TYPE_CHECKING:
    from armillary.core import Core

_TAKE = (
    "insert into service_lease (service, holder, expires) values (?, ?, ?) "
    "on conflict (service) do update set holder = excluded.holder, expires = excluded.expires "
    "where service_lease.holder = excluded.holder or service_lease.expires < ? "
    "or service_lease.expires > ?"
)
_AGAIN_AFTER = 1 / 3
"""The part of a lease after which it is prolonged."""
_GIVE_BACK = "delete from service_lease where service = ? and holder = ?"


class Lease:
    """The right of one holder to run a service."""

    def __init__(self, core: Core, service: str, *, seconds: float) -> None:
        self._core = core
        self._service = service
        self._micros = int(seconds * 1_000_000)
        self._holder = core.ids.uuid4()
        self._held = False

    async def hold(self) -> bool:
        """Take or prolong it; False while somebody else has it."""
        if not self._core.broker.shared:
            return True

        async def take(unit: Unit) -> int:
            now, micros = unit.micros, self._micros
            return await unit.run(
                _TAKE, self._service, self._holder, now + micros, now, now + 2 * micros
            )

        self._held = bool(await self._core.database.write(take, workspace=None))
        return self._held

    @contextlib.asynccontextmanager
    async def kept(self, lost: Callable[[], None]) -> AsyncIterator[None]:
        """Keep it while the block lasts; ``lost`` is called where somebody else got it."""
        if not self._held:
            yield
            return
        keeping = asyncio.create_task(self._keep(lost), name=f"lease of {self._service}")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self, lost: Callable[[], None]) -> None:
        while True:
            await self._core.clock.sleep(self._micros * _AGAIN_AFTER / 1_000_000)
            with contextlib.suppress(Unavailable):
                if not await self.hold():
                    lost()
                    return

    async def give_back(self) -> None:
        """Let others have it at once."""
        if self._held:
            self._held = False

            async def give(unit: Unit) -> None:
                await unit.run(_GIVE_BACK, self._service, self._holder)

            await self._core.database.write(give, workspace=None)
