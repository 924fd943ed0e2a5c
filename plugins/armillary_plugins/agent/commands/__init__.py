"""The words of the command line: run, deploy and agent."""

from __future__ import annotations

from armillary.command import Command
from armillary_plugins.agent.commands.deploy import DEPLOY
from armillary_plugins.agent.commands.run import RUN
from armillary_plugins.agent.commands.status import AGENT

COMMANDS: tuple[Command, ...] = (RUN, DEPLOY, AGENT)
