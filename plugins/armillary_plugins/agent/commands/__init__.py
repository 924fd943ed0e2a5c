"""The words of the command line: run, deploy and agent."""

from __future__ import annotations

from armillary.command import Command

COMMANDS: tuple[Command, ...] = ()
