"""What the event websockets give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Consumer, Core
    from armillary.api import Routes


@hookimpl
def register_routes(core: Core) -> list[Routes]:
    """The websockets for events in and, unless it is off, out."""
    from armillary_plugins.event_websockets.config import Config
    from armillary_plugins.event_websockets.routes import incoming, outgoing

    return [incoming, outgoing] if core.config(Config).stream_out else [incoming]


@hookimpl
def register_consumers(core: Core) -> list[Consumer]:
    """The consumer that hands events to the streams of this process."""
    from armillary_plugins.event_websockets.consumers import FanOut

    return [FanOut(core)]
