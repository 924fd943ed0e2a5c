"""The service that keeps the streams of open pages alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import Service
from armillary_plugins.ui.streams import streams_of

if TYPE_CHECKING:
    from armillary import Core
    from armillary_plugins.ui.config import Config


class Heartbeat(Service):
    """Gives every stream a sign of life: proxies cut silent ones, and pages tell dead ones so."""

    name = "ui.heartbeat"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core)
        self._interval = config.heartbeat
        self._streams = streams_of(core, core.clock.micros())

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.core.clock.sleep(self._interval)
            self._streams.beat()
            self.signal("beat", None)
