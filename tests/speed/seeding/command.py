"""The command line of `make seed`."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from armillary import database_command
from armillary.commands import settings_of
from armillary.core import Core
from armillary.discovery import Found
from armillary.errors import ConfigError
from armillary.settings import Settings
from tests.speed.seeding.rows import Rows
from tests.speed.seeding.runs import Runs
from tests.speed.seeding.shape import SECOND, Shape
from tests.speed.seeding.sinks import Sink, sink_of

_TOLD_EVERY = 5.0
_AMOUNTS = {
    "seed": "which rows: the same seed and --now give the same ones (%(default)s)",
    "days": "days the history goes back (%(default)s)",
    "tasks": "task runs of a flow run, on average (%(default)s)",
    "flows": "flows (%(default)s)",
    "deployments": "deployments, each with a schedule (%(default)s)",
    "tags": "tags to choose from (%(default)s)",
    "pools": "work pools of two queues each (%(default)s)",
    "log_days": "days of log lines (%(default)s)",
    "event_days": "days of flow runs' events; task runs' go back one day (%(default)s)",
}


@dataclass(frozen=True)
class Seeded:
    """What was put in, and how long that took."""

    runs: Runs
    counts: Mapping[str, int]
    seconds: float

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


def main(arguments: Sequence[str]) -> int:
    chosen = _parser().parse_args(arguments)
    try:
        settings, found = _settings(chosen)
        with _alone(settings, found) as sink:
            seeded = fill(sink, _shape(chosen))
    except ConfigError as error:
        sys.stderr.write(f"seed: {error}\n")
        return 1
    _tell(_summary(seeded))
    return 0


def fill(sink: Sink, shape: Shape) -> Seeded:
    """Make everything and put it in; ConfigError where there is something already."""
    if sink.used():
        message = (
            "The database holds runs already: give an empty one, or `armillary database reset`."
        )
        raise ConfigError(message)
    began = told = time.perf_counter()
    rows = Rows()
    runs = Runs(shape, rows)
    for done, _ in enumerate(runs.make(), 1):
        if not rows.full():
            continue
        sink.write(rows)
        if time.perf_counter() - told > _TOLD_EVERY:
            told = time.perf_counter()
            rate = rows.made / (told - began)
            _tell(f"{done:,} flow runs, {rows.made:,} rows, {rate:,.0f} rows a second")
    sink.write(rows)
    sink.finish()
    return Seeded(runs, rows.counts, time.perf_counter() - began)


@contextmanager
def _alone(settings: Settings, found: Mapping[str, Found]) -> Iterator[Sink]:
    """Bring a database to this version's shape and keep servers away from it."""
    database_command.upgrade(settings, found)

    async def look(core: Core) -> list[str]:
        await database_command.refuse_if_used(core.database)
        return []

    database_command.with_database(settings, found, look)
    with database_command.alone(settings), sink_of(settings.database_url) as sink:
        yield sink


def _settings(chosen: argparse.Namespace) -> tuple[Settings, Mapping[str, Found]]:
    """Find the database; never the one that a server without a word takes, for it is filled."""
    if not chosen.home and not chosen.database_url:
        message = "Say which database: --home DIR or --database-url URL."
        raise ConfigError(message)
    return settings_of(chosen, database_url=chosen.database_url)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make seed",
        description="Fill an empty database with what runs for two months leave behind.",
    )
    parser.add_argument("--home", help="the folder of an embedded database")
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--database-url", help="sqlite:///path or postgresql://user@host/name")
    parser.add_argument("--runs", type=int, default=10_000, help="flow runs (N of `make seed`)")
    parser.add_argument("--now", type=dt.datetime.fromisoformat, help="where the history ends")
    parser.add_argument("--scheduled", type=int, help="runs yet to start (a tenth of --runs)")
    parser.add_argument(
        "--graph", type=int, default=5000, help="task runs of one run more (%(default)s)"
    )
    usual = {field.name: field.default for field in fields(Shape)}
    for name, words in _AMOUNTS.items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=usual[name], help=words)
    return parser


def _shape(chosen: argparse.Namespace) -> Shape:
    """Check what was asked for; ConfigError says what is wrong with it."""
    now = chosen.now or dt.datetime.now(dt.UTC)
    if now.tzinfo is None:
        now = now.replace(tzinfo=dt.UTC)
    amounts = {name: getattr(chosen, name) for name in (*_AMOUNTS, "runs", "graph")}
    scheduled = chosen.runs // 10 if chosen.scheduled is None else chosen.scheduled
    amounts["scheduled"] = scheduled
    needed = ("runs", "days", "flows", "deployments", "tags", "pools")
    for name, amount in amounts.items():
        least = 1 if name in needed else 0
        if amount < least:
            flag = f"--{name.replace('_', '-')}"
            message = f"{flag} is {amount}: give {least} or more."
            raise ConfigError(message)
    return Shape(now=int(now.timestamp()) * SECOND, **amounts)


def _summary(seeded: Seeded) -> str:
    counts = [f"{count:,} {table}" for table, count in seeded.counts.items() if count]
    rate = seeded.rows / seeded.seconds
    runs = seeded.runs
    lines = [
        f"{seeded.rows:,} rows in {seeded.seconds:.1f} s, {rate:,.0f} a second: "
        + ", ".join(counts),
        f"most used: {runs.catalog.deployments[0].name}, pool {runs.catalog.pools[0]}, tag bench",
    ]
    if runs.failed:
        lines.append(f"the newest run that failed: {runs.failed}")
    if runs.graph:
        lines.append(f"the run with many task runs: {runs.graph}")
    return "\n".join(lines)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
