"""How soon pages begin to answer with many runs: the first byte of each, one after the other.

python -m tests.speed.pages                         100,000 runs of 200 deployments on SQLite
python -m tests.speed.pages --deployments 10000     as many schedules
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tests.servers import free_port

DAY = 86_400_000_000
_STATES = ("COMPLETED",) * 94 + ("FAILED",) * 3 + ("CRASHED",) + ("CANCELLED",) + ("RUNNING",)
_RUN = """
insert into flow_run (id, workspace, created, updated, name, flow_id, state_id, state_type,
  state_name, state_timestamp, deployment_id, schedule_id, run_count, expected_start_time,
  next_scheduled_start_time, start_time, end_time, total_run_time, auto_scheduled, empirical_policy,
  parameters, context, tags, labels)
values (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, 1, '{}', '{}', '{}', '["bench"]',
  '{}')
"""
_STATE = """
insert into flow_run_state (id, flow_run_id, type, name, timestamp, message, details)
values (?, ?, ?, ?, ?, ?, '{}')
"""
_DEPLOYMENT = """
insert into deployment (id, workspace, created, updated, name, flow_id, paused, job_variables,
  parameters, tags, labels, status, enforce_parameter_schema)
values (?, 1, ?, ?, ?, ?, 0, '{}', '{}', '["bench"]', '{}', 'READY', 1)
"""
_SCHEDULE = """
insert into deployment_schedule (id, workspace, created, updated, deployment_id, schedule, active,
  parameters) values (?, 1, ?, ?, ?, ?, 1, '{}')
"""
_LINE = """
insert into log (workspace, created, timestamp, level, name, message, flow_run_id)
values (1, ?, ?, ?, 'bench', ?, ?)
"""


class Rows:
    """Everything that is put into the database, from one seed."""

    def __init__(self, *, runs: int, deployments: int) -> None:
        self._random = random.Random(1)  # noqa: S311 - the same rows each time
        self._now = time.time_ns() // 1000
        self.flows = [self._id() for _ in range(50)]
        self.deployments = [(self._id(), self._id()) for _ in range(deployments)]
        self.runs = runs
        self.failed = ""

    def _id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def fill(self, database: sqlite3.Connection) -> None:
        """Insert it all."""
        now = self._now
        with database:
            database.executemany(
                "insert into flow (id, workspace, created, updated, name, tags, labels)"
                " values (?, 1, ?, ?, ?, '[]', '{}')",
                [(flow, now, now, f"flow-{place}") for place, flow in enumerate(self.flows)],
            )
            database.executemany(
                _DEPLOYMENT,
                [
                    (one, now, now, f"deployment-{place:05}", self.flows[place % 50])
                    for place, (one, _) in enumerate(self.deployments)
                ],
            )
            cron = json.dumps({"cron": "30 2 * * *", "timezone": "Europe/Vienna", "day_or": True})
            database.executemany(
                _SCHEDULE, [(schedule, now, now, one, cron) for one, schedule in self.deployments]
            )
            for run, state in self._runs():
                database.execute(_RUN, run)
                database.execute(_STATE, state)
            lines = [(now, now + place, 40 if place == 700 else 20, f"line {place}", self.failed)
                     for place in range(1000)]  # fmt: skip
            database.executemany(_LINE, lines)
        database.execute("analyze")

    def _runs(self) -> Iterator[tuple[Sequence[object], Sequence[object]]]:
        for place in range(self.runs):
            deployment, schedule = self.deployments[place % len(self.deployments)]
            ahead = place % 100 == 0
            kind = "SCHEDULED" if ahead else self._random.choice(_STATES)
            at = self._now + self._random.randrange(DAY) * (1 if ahead else -7)
            run, state = self._id(), self._id()
            if kind == "FAILED":
                self.failed = run
            ended = None if kind in ("SCHEDULED", "RUNNING") else at + 5_000_000
            yield (
                (run, at, at, f"run-{place}", self.flows[place % 50], state, kind,
                 kind.capitalize(), at, deployment, schedule, at, at if ahead else None,
                 None if ahead else at, ended, 5.0),
                (state, run, kind, kind.capitalize(), at, "no invoices" if ended else None),
            )  # fmt: skip


@contextmanager
def serving(home: Path) -> Iterator[int]:
    """A started server on a home; its port."""
    port = free_port()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ARMILL")}
    words = ["start", "--port", str(port), "--home", str(home), "--no-browser"]
    process = subprocess.Popen(
        [sys.executable, "-m", "armillary", *words], stdout=subprocess.DEVNULL, env=environ
    )
    try:
        while not _healthy(port):
            time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _healthy(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200
    except OSError:
        return False


def first_byte(port: int, path: str, times: int) -> list[float]:
    """Milliseconds until each answer begins, on one connection; the first one is not counted."""
    found = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for _ in range(times + 1):
            began = time.perf_counter()
            connection.request("GET", path, headers={"accept-encoding": "gzip"})
            answer = connection.getresponse()
            found.append(1000 * (time.perf_counter() - began))
            answer.read()
            if answer.status != 200:
                message = f"{path} answered {answer.status}"
                raise SystemExit(message)
    return sorted(found[1:])


def paths_of(rows: Rows) -> list[str]:
    """Every page that shows much."""
    deployment = rows.deployments[0][0]
    middle = f"deployment-{len(rows.deployments) // 2:05}~{rows.deployments[0][0]}"
    return [
        "/", "/runs", "/runs?state=Failed", "/runs?flow-run-search=run-77", "/runs?tags=bench",
        f"/runs?deployments={deployment}", f"/runs/flow-run/{rows.failed}", "/deployments",
        "/deployments?flowOrDeploymentName=00007", "/deployments?tags=bench&status=active",
        f"/deployments?after={middle}", f"/deployments/deployment/{deployment}",
        f"/deployments/deployment/{deployment}/run", "/schedules", "/work-pools", "/system",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--deployments", type=int, default=200)
    parser.add_argument("--times", type=int, default=40)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pages-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with serving(home):
            pass
        rows = Rows(runs=chosen.runs, deployments=chosen.deployments)
        with closing(sqlite3.connect(home / "armillary.db")) as database:
            rows.fill(database)
        with serving(home) as port:
            tell(f"{chosen.runs} runs, {chosen.deployments} deployments\n")
            tell("| page | median ms | p95 ms | largest ms |\n|---|---|---|---|")
            for path in paths_of(rows):
                taken = first_byte(port, path, chosen.times)
                late = taken[round(0.95 * (len(taken) - 1))]
                middle, most = statistics.median(taken), taken[-1]
                tell(f"| `{path[:60]}` | {middle:.1f} | {late:.1f} | {most:.1f} |")


def tell(line: str) -> None:
    """Say a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
