"""What artifacts give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.api import Routes
    from armillary.db.tables import Tables
    from armillary.events.catalogue import EventType
    from armillary.flow_runs.graph import ArtifactsOfRun
    from armillary_web.pages import Pages


@hookimpl
def register_tables() -> list[Tables]:
    """The tables of artifacts and their collections."""
    from armillary_plugins.artifacts.tables import TABLES

    return [TABLES]


@hookimpl
def register_events() -> list[EventType]:
    """Events of collections."""
    from armillary_plugins.artifacts.events import EVENTS

    return list(EVENTS)


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes of artifacts and of the latest of each key."""
    from armillary_plugins.artifacts.routes import routes

    return [routes]


@hookimpl
def register_graph_artifacts() -> list[ArtifactsOfRun]:
    """The artifacts that the graph of a flow run shows."""
    from armillary_plugins.artifacts.graph_artifacts import artifacts_of_run

    return [artifacts_of_run]


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The artifacts on the page of a run; without the pages of the plugin ui nobody asks for it."""
    from armillary_plugins.artifacts.pages import PAGES

    return [PAGES]


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that clears away artifacts of deleted flow runs."""
    from armillary_plugins.artifacts.config import Config
    from armillary_plugins.artifacts.services import DeleteArtifactsOfDeletedRuns

    return [DeleteArtifactsOfDeletedRuns(core, core.config(Config))]
