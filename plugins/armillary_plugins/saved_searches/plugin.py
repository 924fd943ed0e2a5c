"""What saved searches give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes
    from armillary.db.tables import Tables


@hookimpl
def register_tables() -> list[Tables]:
    """The table of saved searches."""
    from armillary_plugins.saved_searches.tables import TABLES

    return [TABLES]


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes of saved searches."""
    from armillary_plugins.saved_searches.routes import routes

    return [routes]
