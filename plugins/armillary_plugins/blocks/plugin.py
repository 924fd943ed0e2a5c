"""What the blocks give to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.api import Routes
    from armillary.command import Command
    from armillary.db.tables import Tables
    from armillary.deployments.blocks import BlockSource
    from armillary.events.catalogue import EventType
    from armillary_web.pages import Pages


@hookimpl
def register_tables() -> list[Tables]:
    """The tables of types, schemas and documents."""
    from armillary_plugins.blocks.tables import TABLES

    return [TABLES]


@hookimpl
def register_events() -> list[EventType]:
    """Events of types and documents."""
    from armillary_plugins.blocks.events import EVENTS

    return list(EVENTS)


@hookimpl
def register_routes(core: Core) -> list[Routes]:  # noqa: ARG001 - they ask the call for it
    """Routes of types, schemas and documents."""
    from armillary_plugins.blocks.routes import ROUTES

    return list(ROUTES)


@hookimpl
def register_commands() -> list[Command]:
    """The word `blocks`."""
    from armillary_plugins.blocks.commands import COMMANDS

    return list(COMMANDS)


@hookimpl
def register_block_sources(core: Core) -> list[BlockSource]:
    """The documents that job variables and result storage refer to."""
    from armillary_plugins.blocks.block_sources import source_of

    return [source_of(core)]


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The pages of blocks; without those of the plugin ui nobody asks for them."""
    from armillary_plugins.blocks.pages import PAGES

    return [PAGES]
