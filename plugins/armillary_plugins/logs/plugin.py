"""What the logs give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.api import Routes
    from armillary.db.tables import Tables


@hookimpl
def register_tables() -> list[Tables]:
    """The table of log lines."""
    from armillary_plugins.logs.tables import TABLES

    return [TABLES]


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes that take and give log lines, and the websocket that streams them."""
    from armillary_plugins.logs.routes import routes

    return [routes]


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that clears away lines of deleted runs."""
    from armillary_plugins.logs.config import Config
    from armillary_plugins.logs.services import DeleteLogsOfDeletedRuns

    return [DeleteLogsOfDeletedRuns(core, core.config(Config))]
