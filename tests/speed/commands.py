"""Plain commands by the server's own agent: how late they start, and whether a line is missing.

python -m tests.speed.commands                      500 commands in a minute, 20 lines each
python -m tests.speed.commands --at-once            all due at once: how many the agent can start
python -m tests.speed.commands --flood              one command that prints 100 MB
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.servers import free_port

Json = Any
_TICK = os.sysconf("SC_CLK_TCK")
_ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
_MEGABYTE = 1_000_000


class Server:
    """A started server on an empty home."""

    def __init__(self, home: Path) -> None:
        port = free_port()
        environ = {key: value for key, value in os.environ.items() if not key.startswith("ARMILL")}
        words = ["start", "--port", str(port), "--home", str(home), "--no-browser"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "armillary", *words], stdout=subprocess.DEVNULL, env=environ
        )
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api", timeout=60)
        while True:
            try:
                if self.api.get("/work_pools/local").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)

    def post(self, path: str, body: Json) -> Json:
        """Ask, and take the answer."""
        answer = self.api.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def deploy(self, command: str) -> str:
        """Make a deployment of a plain command."""
        flow = self.post("/flows/", {"name": "bench"})["id"]
        body = {
            "name": "bench", "flow_id": flow, "work_pool_name": "local",
            "job_variables": {"command": command},
        }  # fmt: skip
        return str(self.post("/deployments/", body)["id"])

    def begin(self, deployment: str, due: datetime) -> str:
        """Have it run at a time."""
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due.isoformat()}}
        made = self.post(f"/deployments/{deployment}/create_flow_run", {"state": state})
        return str(made["id"])

    def runs(self) -> list[Json]:
        """Every run."""
        found: list[Json] = []
        while page := self.post("/flow_runs/filter", {"limit": 200, "offset": len(found)}):
            found += page
        return found

    def wait(self, count: int) -> None:
        """Return once so many runs have ended."""
        while True:
            states = {"state": {"type": {"any_": sorted(_ENDED)}}}
            if self.post("/flow_runs/count", {"flow_runs": states}) >= count:
                return
            time.sleep(0.5)

    def lines(self, run: str) -> int:
        """How many lines a run has."""
        return self.api.get(f"/flow_runs/{run}/logs/download").text.count("\r\n") - 1

    def cpu(self) -> float:
        """The seconds the server itself has computed."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def peak(self) -> float:
        """The most memory it had, in megabytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in text.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def end(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)


def many(server: Server, *, count: int, seconds: float, lines: int) -> None:
    """Have many commands due over some seconds."""
    deployment = server.deploy(f"seq {lines}")
    first = datetime.now(UTC) + timedelta(seconds=10)
    ids = [
        server.begin(deployment, first + timedelta(seconds=seconds * place / count))
        for place in range(count)
    ]
    used = server.cpu()
    server.wait(count)
    used = server.cpu() - used
    runs = server.runs()
    late = sorted(
        (moment(run["start_time"]) - moment(run["expected_start_time"])).total_seconds()
        for run in runs
    )
    begun = [moment(run["start_time"]) for run in runs]
    took = (max(begun) - min(begun)).total_seconds()
    missing = [lines - server.lines(run) for run in ids]
    failed = sum(run["state_type"] != "COMPLETED" for run in runs)
    print(f"{count} commands started in {took:.1f} s: {60 * (count - 1) / took:.0f} a minute")
    print(f"late by {statistics.median(late):.2f} s (median), {late[int(count * 0.95)]:.2f} s (p95)"
          f", {late[-1]:.2f} s (max)")  # fmt: skip
    print(f"{sum(map(abs, missing))} of {count * lines} lines missing, {failed} not completed")
    print(f"{used:.1f} s of CPU in the server, {1000 * used / count:.1f} ms a command")
    print(f"{server.peak():.0f} MB of memory at most")


def flood(server: Server, *, megabytes: int) -> None:
    """Have one command print as much as it can."""
    width = 80
    count = megabytes * _MEGABYTE // width
    before = server.peak()
    deployment = server.deploy(f"sh -c 'yes {'x' * (width - 1)} | head -n {count}'")
    began = time.monotonic()
    run = server.begin(deployment, datetime.now(UTC))
    server.wait(1)
    took = time.monotonic() - began
    print(f"{megabytes} MB in {count} lines within {took:.0f} s: {count / took:.0f} lines a second")
    print(f"{server.peak():.0f} MB of memory at most, {before:.0f} MB before")
    print(f"{count - server.lines(run)} lines missing")


def moment(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text)


def main() -> None:
    """Measure one of the three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="commands (500)")
    parser.add_argument("--lines", type=int, default=20, help="lines of each (20)")
    parser.add_argument("--at-once", action="store_true", help="all due at the same time")
    parser.add_argument("--flood", action="store_true", help="one command that prints 100 MB")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        server = Server(Path(home))
        try:
            if arguments.flood:
                flood(server, megabytes=100)
            else:
                seconds = 0.0 if arguments.at_once else 60.0
                many(server, count=arguments.count, seconds=seconds, lines=arguments.lines)
        finally:
            server.end()


if __name__ == "__main__":
    main()
