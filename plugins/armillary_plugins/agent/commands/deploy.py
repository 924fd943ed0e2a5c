"""`armillary deploy`: commands that a server runs on a schedule."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from armillary.command import Command
from armillary.errors import ConfigError
from armillary_plugins.agent.commands.asking import asked, server_argument
from armillary_plugins.agent.jobs_file import JobsError, Spec, checked, read

if TYPE_CHECKING:
    from armillary_plugins.agent.services.link import Link

Json = Any
_PLAIN = (
    "cron", "interval", "timezone", "retries", "retry_delay", "timeout", "working_dir", "pool",
    "queue", "description", "concurrency_limit",
)  # fmt: skip


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "armillary deploy NAME [--cron CRON] [options] -- COMMAND [ARGS]\n"
        "       armillary deploy -f FILE [--dry-run]"
    )
    add = parser.add_argument
    add("name", nargs="?", metavar="NAME", help="what the job is called")
    add("-f", "--file", type=Path, metavar="FILE", help="deploy every job of a TOML file")
    add("--dry-run", action="store_true", help="say what would change, and change nothing")
    add("--cron", metavar="CRON", help='when it runs, such as "0 3 * * *"')
    add("--interval", type=float, metavar="S", help="seconds between two runs")
    add("--timezone", metavar="TZ", help="the zone of --cron (UTC)")
    add("--retries", type=int, metavar="N", help="how often a failed run is tried again")
    add("--retry-delay", type=float, metavar="S", help="seconds until it is tried again")
    add("--timeout", type=float, metavar="S", help="seconds a run may take")
    add("--env", action="append", metavar="K=V", default=[], help="a variable of the command")
    add("--param", action="append", metavar="K=V", default=[], help="a parameter, as JSON or text")
    add("--working-dir", metavar="DIR", help="where it runs (an empty folder)")
    add("--pool", metavar="POOL", help="the pool whose agents run it (local)")
    add("--queue", metavar="QUEUE", help="the queue of the pool (default)")
    add("--tag", action="append", metavar="TAG", default=[], dest="tags", help="a tag of its runs")
    add("--description", metavar="TEXT", help="what it is for")
    add("--concurrency-limit", type=int, metavar="N", help="runs of it at once at most")
    add("--paused", action="store_true", help="deploy it, and let its schedule wait")
    server_argument(parser)


def _deploy(arguments: argparse.Namespace) -> int:
    try:
        specs = wanted(arguments)
    except JobsError as error:
        raise ConfigError(str(error)) from error

    async def work(link: object) -> None:
        for name, spec in specs.items():
            await _one(cast("Link", link), name, spec, dry=arguments.dry_run)

    asked(arguments, work)
    if arguments.dry_run:
        print("Nothing was changed: this was a dry run.")
    return 0


async def _one(link: Link, name: str, spec: Spec, *, dry: bool) -> None:
    from armillary_plugins.agent.services import deploying

    there, lines = await deploying.compared(link, name, spec)
    if there and not lines:
        print(f"{name}: unchanged")
        return
    if not dry:
        await deploying.deploy(link, name, spec)
    print(f"{name}: {'changed' if there else 'new'}")
    for line in lines:
        print(f"  {line}")


def wanted(arguments: argparse.Namespace) -> Mapping[str, Spec]:
    """Return the jobs that are meant; JobsError for words that do not go together."""
    if arguments.file is not None:
        if arguments.name or arguments.rest:
            raise JobsError("Say either -f FILE, or NAME and -- COMMAND, not both.")
        return _of_file(arguments.file)
    if not arguments.name or not arguments.rest:
        raise JobsError(
            "Say what to deploy: armillary deploy NAME -- COMMAND, or armillary deploy -f FILE."
        )
    given: dict[str, Json] = {"command": arguments.rest, "tags": arguments.tags}
    for key in _PLAIN:
        value = getattr(arguments, key)
        if value is not None:
            given[key] = value
    given["env"] = pairs(arguments.env, "--env")
    given["parameters"] = {
        name: json_or_text(text) for name, text in pairs(arguments.param, "--param").items()
    }
    given["paused"] = arguments.paused
    return {arguments.name: checked(given)}


def _of_file(path: Path) -> Mapping[str, Spec]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise JobsError(message) from error
    return read(text, file=str(path))


def pairs(given: list[str], flag: str) -> dict[str, str]:
    """Take K=V apart."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            message = f"{flag} {each!r} is no NAME=VALUE."
            raise JobsError(message)
        found[name] = value
    return found


def json_or_text(text: str) -> Json:
    """Read a value as JSON where it is that, else as text."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text


DEPLOY = Command(
    name="deploy",
    summary="Have a server run a command, now and then or on a schedule.",
    run=_deploy,
    arguments=_arguments,
    rest=True,
)
