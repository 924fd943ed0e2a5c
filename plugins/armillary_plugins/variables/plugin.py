"""What variables give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes
    from armillary.db.tables import Tables
    from armillary.deployments.variables import VariableSource
    from armillary.events.catalogue import EventType
    from armillary_web.pages import Pages


@hookimpl
def register_tables() -> list[Tables]:
    """The table of variables."""
    from armillary_plugins.variables.tables import TABLES

    return [TABLES]


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes of variables."""
    from armillary_plugins.variables.routes import routes

    return [routes]


@hookimpl
def register_events() -> list[EventType]:
    """Events of variables."""
    from armillary_plugins.variables.events import EVENTS

    return list(EVENTS)


@hookimpl
def register_variable_sources() -> list[VariableSource]:
    """The values that parameters of runs ask for."""
    from armillary_plugins.variables.variable_sources import SOURCE

    return [SOURCE]


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The pages of variables; without those of the plugin ui nobody asks for them."""
    from armillary_plugins.variables.pages import PAGES

    return [PAGES]
