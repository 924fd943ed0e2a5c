"""The loop that takes slots back, as it is where nobody was ever away.

What absence and set clocks do to leases is in `tests/plugins/concurrency/test_services.py`.
"""

from __future__ import annotations

from armillary import Done
from armillary.db.unit import Unit
from armillary_plugins.concurrency.services import TakeSlotsBack

_LOOKED = """
insert into service_turn (service, taken) values (?, ?)
on conflict (service) do update set taken = excluded.taken
"""


class TakeSlotsBackInTime(TakeSlotsBack):
    """Has looked a moment ago, before anything had run out."""

    async def run_once(self) -> Done:
        async def looked(unit: Unit) -> None:
            await unit.run(_LOOKED, self.name, unit.micros)

        await self.core.database.write(looked, workspace=None)
        return await super().run_once()
