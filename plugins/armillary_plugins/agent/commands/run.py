"""`armillary run -- COMMAND`: runs a command here and now, and has the server keep its story."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from armillary.clock import SystemClock
from armillary.command import Command
from armillary.errors import ConfigError
from armillary.ids import Ids
from armillary_plugins.agent.commands.asking import address_of, asked, server_argument
from armillary_plugins.agent.commands.deploy import pairs
from armillary_plugins.agent.jobs_file import JobsError

if TYPE_CHECKING:
    from armillary_plugins.agent.services.link import Link


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "armillary run [options] -- COMMAND [ARGS]"
    add = parser.add_argument
    add("--name", metavar="NAME", help="what it is called (the command)")
    add("--timeout", type=float, metavar="S", help="seconds it may take")
    add("--retries", type=int, metavar="N", default=0, help="how often it is tried again")
    add("--retry-delay", type=float, metavar="S", default=0, help="seconds until then")
    add("--env", action="append", metavar="K=V", default=[], help="a variable of the command")
    add("--tag", action="append", metavar="TAG", default=[], dest="tags", help="a tag of the run")
    add("--quiet", action="store_true", help="say nothing about where the run is to be seen")
    server_argument(parser)


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.rest:
        raise ConfigError("Say what to run after --, for example: armillary run -- ls -l")
    try:
        env = pairs(arguments.env, "--env")
    except JobsError as error:
        raise ConfigError(str(error)) from error

    async def work(link: object) -> int:
        return await _tracked(cast("Link", link), arguments, env)

    return asked(arguments, work)


async def _tracked(link: Link, arguments: argparse.Namespace, env: dict[str, str]) -> int:
    from armillary_plugins.agent.services.alone import Alone, Wish
    from armillary_plugins.agent.services.processes import SystemSpawner

    clock = SystemClock()
    ids = Ids.of_this_machine(clock)
    wish = Wish(
        argv=arguments.rest,
        name=arguments.name or PurePath(arguments.rest[0]).name,
        env=env,
        timeout=arguments.timeout,
        retries=arguments.retries,
        retry_delay=arguments.retry_delay,
        tags=arguments.tags,
    )
    spawner = SystemSpawner(grace=wish.grace, ids=ids)
    alone = Alone(link, spawner, clock, ids)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, alone.stop)
    site = address_of(arguments).rstrip("/").removesuffix("/api")

    def began(run_id: str) -> None:
        if not arguments.quiet:
            print(f"armillary: {site}/runs/flow-run/{run_id}", file=sys.stderr, flush=True)

    try:
        return await alone.run(wish, began=began, tee=_tee)
    finally:
        spawner.close()


def _tee(name: str, data: bytes) -> None:
    """Pass on what the command writes, byte by byte."""
    number = 1 if name == "stdout" else 2
    while data:
        try:
            data = data[os.write(number, data) :]
        except BrokenPipeError:
            return


RUN = Command(
    name="run",
    summary="Run a command here and now, with its output and its end kept by the server.",
    run=_run,
    arguments=_arguments,
    rest=True,
)
