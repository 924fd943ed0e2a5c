"""How soon pages begin to answer with many runs: the first byte of each, one after the other.

python -m tests.speed.pages                         100,000 runs of 200 deployments on SQLite
python -m tests.speed.pages --deployments 10000     as many schedules
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.servers import free_port
from tests.speed.seeding.command import fill as seed
from tests.speed.seeding.runs import Runs
from tests.speed.seeding.shape import Shape
from tests.speed.seeding.sinks import sink_of

_LINE = """
insert into log (workspace, created, timestamp, level, name, message, flow_run_id)
values (1, ?, ?, ?, 'bench', ?, ?)
"""


def fill(home: Path, *, runs: int, deployments: int) -> Runs:
    """Put in a week of runs without task runs, and a run that failed after a thousand lines."""
    now = time.time_ns() // 1000
    shape = Shape(
        runs=runs, deployments=deployments, now=now, days=7, tasks=0, flows=50,
        scheduled=runs // 100, log_days=0, event_days=0,
    )  # fmt: skip
    file = home / "armillary.db"
    with sink_of(f"sqlite:///{file}") as sink:
        made = seed(sink, shape).runs
    lines = [(now, now + place, 40 if place == 700 else 20, f"line {place}", made.failed)
             for place in range(1000)]  # fmt: skip
    with closing(sqlite3.connect(file)) as database, database:
        database.executemany(_LINE, lines)
    return made


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


def paths_of(made: Runs) -> list[str]:
    """Every page that shows much."""
    deployments = made.catalog.deployments
    deployment = deployments[0].id
    middle = f"{deployments[len(deployments) // 2].name}~{deployment}"
    return [
        "/", "/runs", "/runs?state=Failed", "/runs?flow-run-search=run-77", "/runs?tags=bench",
        f"/runs?deployments={deployment}", f"/runs/flow-run/{made.failed}", "/deployments",
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
        made = fill(home, runs=chosen.runs, deployments=chosen.deployments)
        with serving(home) as port:
            tell(f"{chosen.runs} runs, {chosen.deployments} deployments\n")
            tell("| page | median ms | p95 ms | largest ms |\n|---|---|---|---|")
            for path in paths_of(made):
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
