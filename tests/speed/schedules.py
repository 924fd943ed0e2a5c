"""What scheduled deployments cost a server that has nothing else to do.

python -m tests.speed.schedules                     10,000 of them, each once a day
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.speed.commands import Server

_MINUTES = 24 * 60
_SETTLED = 0.5
"""Seconds of CPU in ten seconds, under which the server has made all the runs it wants."""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def deploy(server: Server, count: int) -> None:
    """Make deployments, each due at some minute of the day."""
    flow = server.post("/flows/", {"name": "bench"})["id"]
    for place in range(count):
        minute = place * _MINUTES // count
        cron = {"cron": f"{minute % 60} {minute // 60} * * *"}
        body = {"name": f"daily-{place}", "flow_id": flow, "schedules": [{"schedule": cron}]}
        server.post("/deployments/", body)


def settle(server: Server) -> None:
    """Wait until the runs of the next days are there."""
    while True:
        before = server.cpu()
        time.sleep(10)
        if server.cpu() - before < _SETTLED:
            return


def share(server: Server, seconds: float) -> float:
    """The percentage of a core that the server takes for some seconds."""
    before, begun = server.cpu(), time.monotonic()
    time.sleep(seconds)
    return 100 * (server.cpu() - before) / (time.monotonic() - begun)


def main() -> None:
    """Measure a server without deployments and then with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="deployments (10000)")
    parser.add_argument("--seconds", type=float, default=120, help="of idling (120)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        server = Server(Path(home))
        try:
            settle(server)
            say(f"without: {share(server, arguments.seconds):.2f} % of a core")
            began = time.monotonic()
            deploy(server, arguments.count)
            say(f"{arguments.count} deployments made in {time.monotonic() - began:.0f} s")
            settle(server)
            runs = server.post("/flow_runs/count", {})
            used = share(server, arguments.seconds)
            say(f"with {arguments.count} and their {runs} runs: {used:.2f} % of a core")
            say(f"{server.peak():.0f} MB of memory at most")
        finally:
            server.end()


if __name__ == "__main__":
    main()
