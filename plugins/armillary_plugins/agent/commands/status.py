"""`armillary agent status`: which agents there are, and what they have under way."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from armillary.command import Command
from armillary_plugins.agent.commands.asking import asked, server_argument

if TYPE_CHECKING:
    from armillary_plugins.agent.services.link import Link

Json = Any
_HEADINGS = ("", "NAME", "RUNS", "POOLS", "PROCESS", "LAST HEARD OF")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", choices=("status",), help="list the agents of the server")
    server_argument(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def _status(arguments: argparse.Namespace) -> int:
    async def look(link: object) -> list[dict[str, Json]]:
        return cast("list[dict[str, Json]]", await cast("Link", link).ask("GET", "/agents/"))

    agents = asked(arguments, look)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(agents)).decode())
    elif not agents:
        print("No agent works for this server; `armillary start` has one unless it is disabled.")
    else:
        print("\n".join(table([_HEADINGS, *map(row, agents)])))
        print("\n● alive  ◐ takes nothing new  ○ gone")
    return 0 if any(agent["alive"] for agent in agents) else 1


def row(agent: dict[str, Json]) -> tuple[str, ...]:
    """Shape an agent for the table."""
    mark = "○" if not agent["alive"] else "◐" if agent["draining"] else "●"
    return (
        mark,
        agent["name"],
        f"{agent['runs']} of {agent['slots']}",
        ", ".join(agent["pools"]) or "-",
        f"{agent['pid']} on {agent['host']}",
        agent["last_heard_of"].partition(".")[0].replace("T", " ") + " UTC",
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Put cells below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in rows
    ]


AGENT = Command(
    name="agent", summary="Say which agents work for the server.", run=_status, arguments=_arguments
)
