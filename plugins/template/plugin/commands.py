"""The word of the command line."""

from __future__ import annotations

import argparse

from armillary.command import Command
from armillary.commands import settings_of
from armillary_plugins.example.config import Config


def _tell(arguments: argparse.Namespace) -> int:
    settings, _ = settings_of(arguments)
    print(f"example counts a moment every {settings.section(Config).interval} seconds")
    return 0


COMMAND = Command(name="example", summary="Tell how often example counts.", run=_tell)
