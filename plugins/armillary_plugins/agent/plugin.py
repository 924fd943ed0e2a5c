"""What the agent gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.command import Command


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
