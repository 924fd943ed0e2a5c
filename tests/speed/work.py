"""The work that every server is given, and what one round of it measures."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.speed import client
from tests.speed.client import Load, Options
from tests.speed.prepare import Prepared, prepare
from tests.speed.processes import Server

SCENARIOS = ("lifecycle", "set_state", "read", "logs", "poll", "connections")
LOG_CLIENTS = (4,)
POLL_CLIENTS = (1, 8)
SCHEDULED_RUNS = 300
MOST_POLLED = 200
CONNECTIONS_SECONDS = 60
SETTLE_SECONDS = 3


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much work one round is."""

    seconds: float
    warmup: float
    connections: tuple[int, ...]
    scenarios: tuple[str, ...]
    runs: int
    poll_limit: int
    many_connections: int
    idle_seconds: float


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was measured on one server in one round; kept as JSON."""

    target: str
    loads: list[dict[str, Any]]
    server: dict[str, float]


def measure_server(server: Server, *, amount: Amount, program: Path, name: str) -> Round:
    """One round on a server that has just started on an empty home."""
    figures = {"start_seconds": server.start_seconds}
    if amount.idle_seconds:
        # What a server does once after its first answer is not its idling.
        server.cpu_share(SETTLE_SECONDS)
        figures["idle_cpu_percent"] = server.cpu_share(amount.idle_seconds)
    figures["idle_megabytes"] = server.memory_megabytes()
    loads = measure_address(server.base_url, amount=amount, program=program, name=name)
    figures["worked_megabytes"] = server.memory_megabytes()
    return Round(target=name, loads=loads, server=figures)


def measure_address(
    base_url: str, *, amount: Amount, program: Path, name: str
) -> list[dict[str, Any]]:
    polls = "poll" in amount.scenarios
    prepared = prepare(base_url, scheduled_runs=SCHEDULED_RUNS if polls else 0)
    results = []
    for load in _loads(amount, prepared):
        figures = client.run(program, base_url, load)
        tell(f"{name}: {load.scenario} at {load.connections}: {summary(figures)}")
        results.append(figures)
    return results


def summary(figures: dict[str, Any]) -> str:
    """A line to follow a run by."""
    text = f"{figures['requests_per_second']:.0f} requests/s, {figures['errors']} errors"
    return f"{text} ({figures['first_error']})" if figures["errors"] else text


def tell(text: str) -> None:
    """Progress goes to the error stream: the table on standard output can be kept."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _loads(amount: Amount, prepared: Prepared) -> Iterator[Load]:
    for scenario in amount.scenarios:
        for connections in _clients(scenario, amount):
            options: Options = {"flow-id": prepared.flow_id, "warmup": amount.warmup}
            seconds = amount.seconds
            if scenario == "connections":
                # As long as it takes: each client does a fixed number of things once.
                seconds = CONNECTIONS_SECONDS
                options |= {"per-connection": 2, "warmup": 0}
            if scenario in {"set_state", "read"}:
                options["runs"] = amount.runs
            if scenario == "poll":
                options |= _poll_options(prepared.pool, amount.poll_limit, connections)
            yield Load(scenario=scenario, connections=connections, seconds=seconds, options=options)


def _clients(scenario: str, amount: Amount) -> tuple[int, ...]:
    special = {
        "logs": LOG_CLIENTS,
        "poll": POLL_CLIENTS,
        "connections": (amount.many_connections,),
    }
    return special.get(scenario, amount.connections)


def _poll_options(pool: str, limit: int, connections: int) -> Options:
    options: Options = {"pool": pool, "limit": limit}
    if connections == 1:
        # Prefect's server on PostgreSQL skips the rows that another poll is looking at, so that
        # only a worker alone can be sure of what it gets.
        options["expect-items"] = min(limit or MOST_POLLED, MOST_POLLED)
    return options
