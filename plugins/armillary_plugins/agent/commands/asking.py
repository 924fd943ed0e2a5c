"""How the words of the command line reach a server, and what they say when none is there."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from armillary.commands import settings_of
from armillary.errors import ConfigError

T = TypeVar("T")


def server_argument(parser: argparse.ArgumentParser) -> None:
    """Let a person name the server."""
    parser.add_argument(
        "--server",
        metavar="URL",
        help="the server to ask (by default PREFECT_API_URL, else the one of this machine)",
    )


def address_of(arguments: argparse.Namespace) -> str:
    """Return the address of the server that is meant."""
    named = arguments.server or os.environ.get("PREFECT_API_URL")
    if named:
        return str(named)
    settings, _ = settings_of(arguments)
    server = settings.server
    return f"http://127.0.0.1:{server.port}{server.base_path.rstrip('/')}"


def asked(
    arguments: argparse.Namespace,
    work: Callable[[object], Awaitable[T]],
) -> T:
    """Do something with a link to the server; ConfigError where it is not there or will not."""
    from armillary_plugins.agent.services.http import HttpLink
    from armillary_plugins.agent.services.link import Away, Turned

    async def with_link() -> T:
        link = HttpLink(address_of(arguments))
        try:
            return await work(link)
        finally:
            await link.close()

    try:
        return asyncio.run(with_link())
    except Away as error:
        message = f"{error}: start a server with `armillary start`, or name one with --server."
        raise ConfigError(message) from error
    except Turned as error:
        message = f"The server would not: {error}"
        raise ConfigError(message) from error
