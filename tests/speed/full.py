"""How soon a full database answers what people and workers ask most, eight of them at once.

python -m tests.speed.full --home /tmp/full                       filled by `make seed`
python -m tests.speed.full --database-url postgresql://me@host/full
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from tests.speed import client
from tests.speed.client import Load, Options
from tests.speed.command import machine
from tests.speed.prepare import Api, prepare
from tests.speed.processes import Command, Server, fresh_home, running
from tests.speed.report import number, rate, table
from tests.speed.targets import TARGETS
from tests.speed.work import rest

CLIENTS = 8
CYCLING = 16
_COMPLETED: dict[str, Any] = {"state": {"type": {"any_": ["COMPLETED"]}}}
_FAILED: dict[str, Any] = {"state": {"type": {"any_": ["FAILED"]}}}
_OFTEN = {"tags": {"all_": ["auto-scheduled"]}}
_SELDOM = {"tags": {"all_": ["tag-040"]}}
_NEWEST = {"sort": "EXPECTED_START_TIME_DESC", "limit": 50}
_STARTED = {"sort": "START_TIME_DESC", "limit": 50}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One thing that is asked again and again."""

    what: str
    path: str
    body: Any = None
    items: int = 0

    def load(self, seconds: float) -> Load:
        options: Options = {"path": self.path, "warmup": 1, "expect-items": self.items}
        if self.body is None:
            options["method"] = "GET"
        else:
            options["body"] = json.dumps(self.body)
        return Load(scenario="ask", connections=CLIENTS, seconds=seconds, options=options)


def asked(api: Api) -> Iterator[Asked]:
    """Everything; what it names is looked up."""
    filters = {
        "completed": _COMPLETED, "failed": _FAILED, "completed, frequent tag": _COMPLETED | _OFTEN,
        "failed, frequent tag": _FAILED | _OFTEN, "completed, rare tag": _COMPLETED | _SELDOM,
        "named Late": {"state": {"name": {"any_": ["Late"]}}},
    }  # fmt: skip
    for name, flow_runs in filters.items():
        path = "/flow_runs/filter"
        yield Asked(what=f"list: {name}", path=path, body={"flow_runs": flow_runs, **_NEWEST})
        yield Asked(
            what=f"list by start: {name}", path=path, body={"flow_runs": flow_runs, **_STARTED}
        )
        yield Asked(what=f"count: {name}", path="/flow_runs/count", body={"flow_runs": flow_runs})
    yield Asked(what="count: all", path="/flow_runs/count", body={})
    newest = {"flow_runs": _COMPLETED, **_NEWEST, "limit": 1}
    now = dt.datetime.fromisoformat(api.post("/flow_runs/filter", newest)[0]["start_time"])
    for days in (7, 60):
        since = (now - dt.timedelta(days=days)).isoformat()
        for ends, bounds in (("", {}), (" until now", {"before_": now.isoformat()})):
            runs = {"expected_start_time": {"after_": since, **bounds}}
            yield Asked(
                what=f"list by start: expected since {days} days{ends}",
                path="/flow_runs/filter", body={"flow_runs": runs, **_STARTED},
            )  # fmt: skip
    window = {
        "history_start": (now - dt.timedelta(days=1)).isoformat(),
        "history_end": now.isoformat(),
        "history_interval_seconds": 3600,
    }
    yield Asked(what="history of 24 h", path="/flow_runs/history", body=window)
    wide = api.post("/flow_runs/filter", {"flow_runs": {"tags": {"all_": ["wide"]}}})[0]["id"]
    yield Asked(what="graph of 5,000 task runs", path=f"/flow_runs/{wide}/graph-v2")
    for pool in api.post("/work_pools/filter", {"limit": 1}):
        path = f"/work_pools/{pool['name']}/get_scheduled_flow_runs"
        before = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).isoformat()
        yield Asked(what="worker poll", path=path, body={"scheduled_before": before, "limit": 50})
    yield Asked(what="deployments, a page", path="/deployments/paginate", body={"limit": 50})
    ids = [each["id"] for each in api.post("/deployments/filter", {"limit": 50})]
    lately = {"deployments": {"id": {"any_": ids}}, "flow_runs": _COMPLETED, **_NEWEST}
    yield Asked(what="runs of 50 deployments", path="/flow_runs/filter", body=lately)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--home", type=Path)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--without-cycles", action="store_true", help="only what reads")
    chosen = parser.parse_args()
    program = client.build()
    start = TARGETS["armillary-postgres" if chosen.database_url else "armillary-sqlite"].command
    with fresh_home() as folder:
        command = start(folder, chosen.database_url)
        if chosen.home is not None:
            command = _on(command, chosen.home)
        with running(command, folder) as server:
            _reads(server, program, chosen.seconds)
            if not chosen.without_cycles:
                full = _cycles(server, program, chosen.seconds)
    if not chosen.without_cycles:
        with _empty(chosen.database_url) as (home, url), running(start(home, url), home) as server:
            _tell_cycles(full, _cycles(server, program, chosen.seconds))
    sys.stdout.write(f"\n{machine()}\n")


def _on(command: Command, home: Path) -> Command:
    words = list(command.arguments)
    words[words.index("--home") + 1] = str(home)
    return Command(arguments=tuple(words), port=command.port, environment=command.environment)


@contextlib.contextmanager
def _empty(database_url: str) -> Iterator[tuple[Path, str]]:
    """An empty database to hold it against: a new one beside that of the URL, or a file."""
    with fresh_home() as home:
        if not database_url:
            yield home, ""
            return
        name = f"empty_{home.name.replace('-', '_').lower()}"
        base, _, _ = database_url.rpartition("/")
        _sql(database_url, f"create database {name}")
        try:
            yield home, f"{base}/{name}"
        finally:
            _sql(database_url, f"drop database {name} with (force)")


def _sql(database_url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def _reads(server: Server, program: Path, seconds: float) -> None:
    rows = []
    with Api(server.base_url) as api:
        questions = list(asked(api))
    rest(server)
    for question in questions:
        figures = client.run(program, server.base_url, question.load(seconds))
        times = figures["times"].get("all", {})
        shown = [number(times[name]) if times else "-" for name in ("p50_ms", "p95_ms", "max_ms")]
        count, errors = number(figures["requests_per_second"]), str(figures["errors"])
        rows.append([question.what, count, *shown, errors])
        sys.stderr.write(f"{' '.join(rows[-1])} {figures['first_error']}\n")
    heads = ["asked by 8 at once", "answers a second", "p50 ms", "p95 ms", "max ms", "errors"]
    sys.stdout.write(table(heads, rows) + "\n")


def _cycles(server: Server, program: Path, seconds: float) -> float:
    flow = prepare(server.base_url, scheduled_runs=0).flow_id
    rest(server)
    options: Options = {"flow-id": flow, "warmup": 1}
    load = Load(scenario="lifecycle", connections=CYCLING, seconds=seconds, options=options)
    return rate(client.run(program, server.base_url, load) | {"scenario": "lifecycle"})


def _tell_cycles(full: float, empty: float) -> None:
    share = 100 * full / empty if empty else 0
    sys.stdout.write(
        f"\nLife cycles a second at {CYCLING} clients: {number(full)} on the full database,"
        f" {number(empty)} on an empty one: {share:.0f} %.\n"
    )


if __name__ == "__main__":
    main()
