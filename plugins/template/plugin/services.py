"""The loop that counts."""

from __future__ import annotations

from armillary import Core, Done, LoopService
from armillary.workspaces import DEFAULT
from armillary_plugins.example.config import Config
from armillary_plugins.example.repository import add_moment


class CountMoments(LoopService):
    """Adds one each turn."""

    name = "example"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)

    async def run_once(self) -> Done:
        """Count this moment."""
        await self.core.database.write(add_moment, workspace=DEFAULT.key)
        return Done(found=1)
