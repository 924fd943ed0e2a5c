"""How much memory a server has after each round of mixed work, for half an hour.

python -m tests.speed.steady                        on a SQLite file
python -m tests.speed.steady --postgres             on a PostgreSQL of its own
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.speed import client
from tests.speed.command import machine
from tests.speed.prepare import prepare
from tests.speed.processes import Server, durable_postgres, fresh_home, running
from tests.speed.report import number, table
from tests.speed.targets import TARGETS
from tests.speed.work import Amount, loads

MIXED = ("lifecycle", "search", "logs", "read", "events", "count", "order", "poll", "connections")
_ROUND = Amount(
    seconds=3,
    warmup=0,
    connections=(16,),
    scenarios=MIXED,
    runs=200,
    poll_limit=10,
    many_connections=200,
    idle_seconds=0,
)
_WARM = 0.2
"""The share of the time after which caches are full and buffers as large as they get."""


@dataclass(frozen=True)
class After:
    """What a server was like after a round."""

    minutes: float
    megabytes: float
    errors: int


def rounds(server: Server, minutes: float) -> Iterator[After]:
    """Work until the time has passed."""
    program = client.build()
    prepared = prepare(server.base_url, scheduled_runs=100)
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < 60 * minutes:
        errors = 0
        for load in loads(_ROUND, prepared):
            errors += client.run(program, server.base_url, load)["errors"]
        yield After(passed / 60, server.memory_megabytes(), errors)


def growth(seen: list[After]) -> float:
    """The most by which the memory rose, in percent, since caches were full."""
    warm = [each.megabytes for each in seen[int(_WARM * len(seen)) :]]
    return 100 * (max(warm) / warm[0] - 1)


def main() -> None:
    """Work, and tell what the server was like."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--postgres", action="store_true")
    chosen = parser.parse_args()
    start = TARGETS["armillary-postgres" if chosen.postgres else "armillary-sqlite"].command
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(durable_postgres()).url if chosen.postgres else ""
        home = stack.enter_context(fresh_home())
        server = stack.enter_context(running(start(home, url), home))
        seen = []
        for after in rounds(server, chosen.minutes):
            seen.append(after)
            sys.stderr.write(f"{after.minutes:.1f} min, {after.megabytes:.0f} MB\n")
    shown = seen[:: max(1, len(seen) // 12)]
    rows = [[number(each.minutes), number(each.megabytes), str(each.errors)] for each in shown]
    sys.stdout.write(table(["minutes", "memory, MB", "errors in the round"], rows) + "\n")
    sys.stdout.write(f"\n{len(seen)} rounds; it rose by {growth(seen):.0f} % at most once warm.\n")
    sys.stdout.write(f"{machine()}\n")


if __name__ == "__main__":
    main()
