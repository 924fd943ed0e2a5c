"""One word of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import msgspec


def no_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing to a parser."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What `armillary NAME` does: ``run`` gets the parsed arguments and returns the exit code."""

    name: str
    summary: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
    rest: bool = False
    """Whether words after `--` are its own: it finds them in `arguments.rest`."""
