"""What example gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.api import Routes
    from armillary.command import Command
    from armillary.db.tables import Tables
    from armillary.jobs import Job
    from armillary_web.pages import Pages


@hookimpl
def register_tables() -> list[Tables]:
    """The table of the number."""
    from armillary_plugins.example.tables import TABLES

    return [TABLES]


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that counts."""
    from armillary_plugins.example.config import Config
    from armillary_plugins.example.services import CountMoments

    return [CountMoments(core, core.config(Config))]


@hookimpl
def register_jobs(core: Core) -> list[Job]:  # noqa: ARG001 - a job is given it
    """The job that begins again at nothing."""
    from armillary_plugins.example.jobs import BEGIN_AGAIN

    return [BEGIN_AGAIN]


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - a call brings it
    """The routes that tell the number and ask for the job."""
    from armillary_plugins.example.routes import routes

    return [routes]


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The page of the number, and its place in the navigation."""
    from armillary_plugins.example.pages import PAGES

    return [PAGES]


@hookimpl
def register_commands() -> list[Command]:
    """The word `example`."""
    from armillary_plugins.example.commands import COMMAND

    return [COMMAND]
