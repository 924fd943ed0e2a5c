"""What the pages give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Consumer, Core, Service


@hookimpl
def register_routes(core: Core) -> list[Any]:
    """The pages, also those of other plugins, static files, and the stream of changes."""
    from armillary_plugins.ui.routes import PAGES, open_stream, pages_of_others

    return [*PAGES, *pages_of_others(core), open_stream]


@hookimpl
def register_consumers(core: Core) -> list[Consumer]:
    """The consumer that tells open pages what changed."""
    from armillary_plugins.ui.consumers import TellPages

    return [TellPages(core)]


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The service that keeps the streams of open pages alive."""
    from armillary_plugins.ui.config import Config
    from armillary_plugins.ui.services import Heartbeat

    return [Heartbeat(core, core.config(Config))]
