"""A database of a gigabyte, killed under load with much in its log: how soon it answers again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from tests import servers
from tests.soak import checks
from tests.soak.everybody import EVERYBODY
from tests.soak.load import Load
from tests.soak.server import Recovery, Soaked

Say = Callable[[str], None]
SOON = 2.0
"""Seconds after which it must answer again."""
_RUNS = 1000
"""Of one transaction: with their states, events and log lines about 13 MB."""
_LINES = 20
_DAY = 86_400_000_000
_TEXT = "the quick brown fox jumps over the lazy dog, again and again and again, "


@dataclass
class Heavy:
    """What kills of a heavy database came to."""

    recoveries: list[Recovery] = field(default_factory=list)
    logs: list[int] = field(default_factory=list)
    """Bytes of the write-ahead log at each kill."""
    wrong: list[str] = field(default_factory=list)


def fill(file: Path, size: int, say: Say) -> None:
    """Put runs of the last month with their states, events and log lines into a database."""
    servers.migrate(f"sqlite:///{file}")
    chance = random.Random(0)  # noqa: S311 - the same content every time
    now = time.time_ns() // 1000
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("pragma synchronous=off")
        defaults = _Defaults(connection)
        flow = _id(chance)
        defaults.insert("flow", [{"id": flow, "name": "heavy", "created": now, "updated": now}])
        count = 0
        while file.stat().st_size < size:
            rows = _Rows(flow, chance, now)
            for _ in range(_RUNS):
                rows.add()
            for table, content in rows.tables.items():
                defaults.insert(table, content)
            connection.commit()
            count += _RUNS
    say(f"  {count} runs, {file.stat().st_size >> 20} MiB")


class _Rows:
    """Rows of some runs that have ended."""

    def __init__(self, flow: str, chance: random.Random, now: int) -> None:
        self._flow = flow
        self._chance = chance
        self._now = now
        self.tables: dict[str, list[dict[str, object]]] = {
            name: [] for name in ("flow_run", "flow_run_state", "event", "event_resource", "log")
        }

    def add(self) -> None:
        """Add a run from its creation to its end."""
        run, begun = _id(self._chance), self._now - self._chance.randrange(30 * _DAY)
        states = [(_id(self._chance), kind) for kind in ("PENDING", "RUNNING", "COMPLETED")]
        self.tables["flow_run"].append(
            {
                "id": run, "name": f"run {run[:8]}", "flow_id": self._flow, "created": begun,
                "updated": begun, "state_id": states[-1][0], "state_type": "COMPLETED",
                "state_name": "Completed", "state_timestamp": begun + 2, "run_count": 1,
                "start_time": begun + 1, "end_time": begun + 2, "expected_start_time": begun,
            }
        )  # fmt: skip
        for place, (state, kind) in enumerate(states):
            self.tables["flow_run_state"].append(
                {"id": state, "flow_run_id": run, "type": kind, "name": kind.title(),
                 "timestamp": begun + place}
            )  # fmt: skip
            self.tables["event"].append(self._event(run, state, kind, begun + place))
        for line in range(_LINES):
            self.tables["log"].append(
                {"created": begun, "timestamp": begun + line, "level": 20, "name": "heavy",
                 "message": _TEXT * 3, "flow_run_id": run}
            )  # fmt: skip

    def _event(self, run: str, state: str, kind: str, moment: int) -> dict[str, object]:
        resource = f"prefect.flow-run.{run}"
        body = {
            "id": state, "event": f"prefect.flow-run.{kind.title()}",
            "occurred": "2026-01-01T00:00:00Z", "received": "2026-01-01T00:00:00Z",
            "resource": {"prefect.resource.id": resource}, "related": [],
            "payload": {"text": _TEXT * 5},
        }  # fmt: skip
        return {
            "id": state, "occurred": moment, "received": moment, "event": body["event"],
            "resource_id": resource, "body": json.dumps(body),
        }  # fmt: skip


class _Defaults:
    """Fills columns that must be there and are not named."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, table: str, rows: list[dict[str, object]]) -> None:
        """Insert rows, which all name the same columns."""
        if not rows:
            return
        missing = dict(self._missing(table, set(rows[0])))
        columns = [*rows[0], *missing]
        places = ", ".join("?" * len(columns))
        self._connection.executemany(
            f"insert into {table} ({', '.join(columns)}) values ({places})",
            [(*row.values(), *missing.values()) for row in rows],
        )

    def _missing(self, table: str, named: set[str]) -> Iterator[tuple[str, object]]:
        for _, name, kind, needed, default, key in self._connection.execute(
            f"pragma table_info({table})"
        ):
            if name in named or not needed or default is not None or (key and kind == "INTEGER"):
                continue
            if name == "workspace":
                yield name, 1
            elif kind.upper().startswith("TEXT"):
                yield name, "{}" if name in {"labels", "parameters", "details"} else "[]"
            else:
                yield name, 0


def _id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


@contextlib.contextmanager
def _somebody_reading(file: Path) -> Iterator[None]:
    """A backup that takes long: what is written meanwhile stays in the log."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from flow").fetchone()
        yield


async def heavy_kills(file: Path, folder: Path, say: Say, *, rounds: int, load_for: float) -> Heavy:
    """Kill a server on a heavy database under load, and measure how it comes back."""
    outcome = Heavy()
    server = Soaked(folder, f"sqlite:///{file}")
    load = Load(server.port)
    try:
        first = await server.recover()
        say(f"  first start: answering after {first.answering:.2f} s")
        await load.prepare()
        load.start(EVERYBODY)
        for _ in range(rounds):
            with _somebody_reading(file):
                await asyncio.sleep(load_for)
                server.kill()
            outcome.logs.append(file.with_name(f"{file.name}-wal").stat().st_size)
            outcome.recoveries.append(recovery := await server.recover())
            say(
                f"  {outcome.logs[-1] >> 20} MiB in the log: answering after "
                f"{recovery.answering:.2f} s, first write after {recovery.writing:.2f} s"
            )
        await load.end()
        outcome.wrong += await checks.wrong(f"sqlite:///{file}", load.ledger)
        outcome.wrong += [f"in the log: {line}" for line in server.faults()[:5]]
        if server.interrupt() != 0:
            outcome.wrong.append(f"it did not end cleanly: {server.log()[-500:]}")
    finally:
        await load.abandon()
        server.kill()
    return outcome
