"""The command line of `make profile`: microseconds per request by layer, for hot operations."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.speed import client
from tests.speed.client import Load
from tests.speed.command import machine
from tests.speed.layers import LAYERS, Counted, Spent, spent
from tests.speed.options import names, numbers
from tests.speed.prepare import prepare
from tests.speed.processes import Server, durable_postgres, fresh_home, running
from tests.speed.targets import TARGETS
from tests.speed.work import SCHEDULED_RUNS, Amount, loads, rest

_DATABASES = {"sqlite": "armillary-sqlite", "postgres": "armillary-postgres"}
_WORK = ("read", "search", "count", "poll", "logs", "events", "set_state", "order", "lifecycle")
_WARMUP = 2.0
_AROUND = 1.0
"""Seconds of the load client's window that are not sampled, half before and half after."""
_SAMPLER = str(Path(__file__).parent / "sampled.py")


def main(arguments: Sequence[str]) -> int:
    chosen = _parser().parse_args(arguments)
    program = client.build()
    columns: dict[str, Spent] = {}
    amount = Amount(
        seconds=chosen.seconds + _AROUND, warmup=_WARMUP, connections=chosen.connections,
        scenarios=chosen.work, runs=300, poll_limit=10, many_connections=0, idle_seconds=0,
    )  # fmt: skip
    for database in chosen.only:
        with _started(database) as (server, file):
            prepared = prepare(server.base_url, scheduled_runs=SCHEDULED_RUNS)
            for load in loads(amount, prepared):
                rest(server)
                column = f"{load.scenario} at {load.connections}, {database}"
                columns[column] = _profiled(server, file, program, load, chosen.seconds)
    sys.stdout.write(_table(columns) + f"\n\n{machine()}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="make profile", description=__doc__)
    made.add_argument("--only", type=names(tuple(_DATABASES)), default=tuple(_DATABASES))
    made.add_argument("--work", type=names(_WORK), default=_WORK)
    made.add_argument("--connections", type=numbers, default=(16,))
    made.add_argument("--seconds", type=float, default=5.0)
    return made


@contextlib.contextmanager
def _started(database: str) -> Iterator[tuple[Server, Path]]:
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(fresh_home())
        target = TARGETS[_DATABASES[database]]
        url = ""
        if target.needs_postgres:
            postgres = stack.enter_context(durable_postgres())
            url = postgres.database_url(postgres.create_database())
        command = target.command(home, url)
        file = Path(tempfile.mkdtemp(dir=home)) / "samples.json"
        arguments = (sys.executable, _SAMPLER, str(file), *command.arguments[1:])
        yield stack.enter_context(running(replace(command, arguments=arguments), home)), file


def _profiled(server: Server, file: Path, program: Path, load: Load, seconds: float) -> Spent:
    """Sample the middle of one run of the load client."""
    file.unlink(missing_ok=True)
    timers = [
        threading.Timer(_WARMUP + _AROUND / 2, server.signal, [signal.SIGUSR1]),
        threading.Timer(_WARMUP + _AROUND / 2 + seconds, server.signal, [signal.SIGUSR2]),
    ]
    for timer in timers:
        timer.start()
    figures = client.run(program, server.base_url, load)
    for timer in timers:
        timer.join()
    counted = Counted(**json.loads(file.read_text()))
    return spent(counted, requests=figures["requests_per_second"] * counted.seconds)


def _table(columns: Mapping[str, Spent]) -> str:
    """Microseconds per request: a row for each layer, a column for each kind of work."""
    beside = sorted({name for each in columns.values() for name in each.beside})
    rows = [
        ["layer", *columns],
        ["---"] * (len(columns) + 1),
        *([layer, *(_shown(each.layers.get(layer, 0)) for each in columns.values())]
          for layer in LAYERS),
        ["**all**", *(_shown(sum(each.layers.values())) for each in columns.values())],
        *([f"beside: {name}", *(_shown(each.beside.get(name, 0)) for each in columns.values())]
          for name in beside),
    ]  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(micros: float) -> str:
    return f"{micros:.0f}" if micros >= 9.5 or micros < 0.05 else f"{micros:.1f}"
