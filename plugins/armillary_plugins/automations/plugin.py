"""What automations give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes
    from armillary.db.tables import Tables
    from armillary.events.catalogue import EventType
    from armillary_web.pages import Pages


@hookimpl
def register_tables() -> list[Tables]:
    """The tables of automations, and of what they are about."""
    from armillary_plugins.automations.tables import TABLES

    return [TABLES]


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes of automations and of templates."""
    from armillary_plugins.automations.routes import routes

    return [routes]


@hookimpl
def register_events() -> list[EventType]:
    """Events of automations."""
    from armillary_plugins.automations.events import EVENTS

    return list(EVENTS)


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The pages of automations; without those of the plugin ui nobody asks for them."""
    from armillary_plugins.automations.pages import PAGES

    return [PAGES]
