"""The work that every server is given, and what one round of it measures."""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.speed import client
from tests.speed.client import Load, LoadFailed, Options
from tests.speed.prepare import Prepared, Refused, prepare
from tests.speed.processes import Server

# Reading comes first: even a server that rests again has larger tables after the writes.
SCENARIOS = (
    "read", "search", "count", "poll", "logs", "events", "set_state", "order", "lifecycle",
    "connections", "crowd",
)  # fmt: skip
CLIENTS = {
    "logs": (4,), "events": (4,), "poll": (1, 8), "crowd": (8,), "search": (8,), "count": (8,),
    "order": (16,),
}  # fmt: skip
"""At once, where it is not the usual numbers of them."""
SEARCHED = {"state": {"type": {"any_": ["PENDING"]}}, "tags": {"all_": ["speed"]}}
SHOWN = 50
SCHEDULED_RUNS = 300
CROWD = 10_000
"""Scheduled runs that `crowd` polls among: more than a reference can be given in good time."""
MOST_POLLED = 200
CONNECTIONS_SECONDS = 60
SETTLE_SECONDS = 3
REST_SECONDS = 1
RESTING_PERCENT = 10
REST_LIMIT_SECONDS = 30


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
    failures: list[str]


def measure_server(server: Server, *, amount: Amount, program: Path, name: str) -> Round:
    """One round on a server that has just started on an empty home."""
    figures = {"start_seconds": server.start_seconds}
    if amount.idle_seconds:
        # What a server does once after its first answer is not its idling.
        server.cpu_share(SETTLE_SECONDS)
        figures["idle_cpu_percent"] = server.cpu_share(amount.idle_seconds)
    figures["idle_megabytes"] = server.memory_megabytes()
    worked = measure_address(
        server.base_url, amount=amount, program=program, name=name, server=server
    )
    figures["worked_megabytes"] = server.memory_megabytes()
    return replace(worked, server=figures)


def rest(server: Server | None) -> None:
    """Wait until a server has done what earlier work left it with, such as storing its events."""
    time.sleep(REST_SECONDS)
    latest = time.monotonic() + REST_LIMIT_SECONDS
    while server is not None and time.monotonic() < latest:
        if server.cpu_share(REST_SECONDS) < RESTING_PERCENT:
            return


def measure_address(
    base_url: str, *, amount: Amount, program: Path, name: str, server: Server | None = None
) -> Round:
    """All the work once. What could not be measured is told, and the rest goes on."""
    worked = Round(target=name, loads=[], server={}, failures=[])
    polls = "poll" in amount.scenarios
    try:
        prepared = prepare(base_url, scheduled_runs=SCHEDULED_RUNS if polls else 0)
    except (Refused, OSError, http.client.HTTPException) as failure:
        worked.failures.append(f"the preparation: {failure}")
        return worked
    for load in loads(amount, prepared):
        if load.scenario == "crowd":
            prepare(base_url, scheduled_runs=CROWD - SCHEDULED_RUNS * polls)
        what = f"{load.scenario} at {load.connections}"
        rest(server)
        try:
            figures = client.run(program, base_url, load)
        except LoadFailed as failure:
            worked.failures.append(str(failure))
            tell(f"{name}: {failure}")
            continue
        tell(f"{name}: {what}: {summary(figures)}")
        worked.loads.append(figures | {"scenario": load.scenario})
    return worked


def summary(figures: dict[str, Any]) -> str:
    """A line to follow a run by."""
    text = f"{figures['requests_per_second']:.0f} requests/s, {figures['errors']} errors"
    return f"{text} ({figures['first_error']})" if figures["errors"] else text


def tell(text: str) -> None:
    """Progress goes to the error stream: the table on standard output can be kept."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def loads(amount: Amount, prepared: Prepared) -> Iterator[Load]:
    """What the client is to be run with, one after the other."""
    for scenario in amount.scenarios:
        for connections in _clients(scenario, amount):
            options: Options = {"flow-id": prepared.flow_id, "warmup": amount.warmup}
            seconds = amount.seconds
            if scenario == "connections":
                # As long as it takes: each client does a fixed number of things once.
                seconds = CONNECTIONS_SECONDS
                options |= {"per-connection": 2, "warmup": 0}
            if scenario in {"set_state", "read", "search", "count"}:
                options["runs"] = amount.runs
            options |= _asked(scenario, prepared)
            if scenario in {"poll", "crowd"}:
                options |= _poll_options(prepared.pool, amount.poll_limit, connections)
            yield Load(scenario=scenario, connections=connections, seconds=seconds, options=options)


def _clients(scenario: str, amount: Amount) -> tuple[int, ...]:
    if scenario == "connections":
        return (amount.many_connections,)
    return CLIENTS.get(scenario, amount.connections)


def _asked(scenario: str, prepared: Prepared) -> Options:
    """What is asked again and again, and how many rows its answer must have."""
    if scenario == "search":
        body = {"flow_runs": SEARCHED, "sort": "EXPECTED_START_TIME_DESC", "limit": SHOWN}
        path = "/flow_runs/filter"
        return {"path": path, "body": json.dumps(body), "expect-items": SHOWN}
    if scenario == "count":
        return {"path": "/flow_runs/count", "body": json.dumps({"flow_runs": SEARCHED})}
    if scenario == "order":
        path = f"/deployments/{prepared.deployment_id}/create_flow_run"
        return {"path": path, "body": json.dumps({"parameters": {"n": 3}, "tags": ["speed"]})}
    return {}


def _poll_options(pool: str, limit: int, connections: int) -> Options:
    options: Options = {"pool": pool, "limit": limit}
    if connections == 1:
        # Prefect's server on PostgreSQL skips the rows that another poll is looking at, so that
        # only a worker alone can be sure of what it gets.
        options["expect-items"] = min(limit or MOST_POLLED, MOST_POLLED)
    return options
