"""What the events give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes
    from armillary.db.tables import Tables
    from armillary_web.pages import Pages


@hookimpl
def register_tables() -> list[Tables]:
    """The event store."""
    from armillary_plugins.events.tables import TABLES

    return [TABLES]


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes that take events and find them."""
    from armillary_plugins.events.routes import routes

    return [routes]


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The feed; without the pages of the plugin ui nobody asks for it."""
    from armillary_plugins.events.pages import PAGES

    return [PAGES]
