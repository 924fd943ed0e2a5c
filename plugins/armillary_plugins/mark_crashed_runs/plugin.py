"""What mark_crashed_runs gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.api import Routes
    from armillary.db.tables import Tables


@hookimpl
def register_tables() -> list[Tables]:
    """Agents, and the runs they hold."""
    from armillary_plugins.mark_crashed_runs.tables import TABLES

    return [TABLES]


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """The route by which agents are heard of, and the list of them."""
    from armillary_plugins.mark_crashed_runs.routes import routes

    return [routes]


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that looks after agents."""
    from armillary_plugins.mark_crashed_runs.config import Config
    from armillary_plugins.mark_crashed_runs.services import MarkCrashedRuns

    return [MarkCrashedRuns(core, core.config(Config))]
