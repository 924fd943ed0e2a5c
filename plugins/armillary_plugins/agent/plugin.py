"""What the agent gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.command import Command
    from armillary_web.pages import Pages


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The agent itself."""
    from armillary_plugins.agent.services.agent import Agent

    return [Agent(core)]


@hookimpl
def register_commands() -> list[Command]:
    """The words run, deploy and agent."""
    from armillary_plugins.agent.commands import COMMANDS

    return list(COMMANDS)


@hookimpl(optionalhook=True)
def register_pages() -> list[Pages]:
    """The form of plain commands; without the pages of the plugin ui nobody asks for it."""
    from armillary_plugins.agent.pages import PAGES

    return [PAGES]
