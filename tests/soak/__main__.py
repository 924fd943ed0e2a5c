"""`make soak`: the server under real faults; `ARGS="kills --rounds 100"` chooses a part."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.soak.kills import Plan, kills
from tests.soak.places import database

ROOT = Path(__file__).parents[2]
DATABASES = {"both": ("sqlite", "postgres"), "sqlite": ("sqlite",), "postgres": ("postgres",)}
TASK_RUNS = "20000"
"""Of five events each."""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the parts that are asked for; 1 if something was wrong in one of them."""
    asked = _asked()
    chosen = [asked.part] if asked.part != "all" else list(PARTS)
    failed = []
    for name in chosen:
        began = time.monotonic()
        say(f"{name}: {PARTS[name].__doc__}")
        if PARTS[name](asked):
            failed.append(name)
        say(f"{name} took {time.monotonic() - began:.0f} s\n")
    say(f"wrong: {', '.join(failed)}" if failed else "nothing was wrong")
    return 1 if failed else 0


def _kills(asked: argparse.Namespace) -> bool:
    """the server is killed at any moment under load"""
    failed = False
    for kind in DATABASES[asked.database]:
        plan = Plan(rounds=asked.rounds, seed=asked.seed)
        with database(kind) as (url, folder):
            say(f" {kind}")
            outcome = asyncio.run(kills(url, folder, plan, say))
            say(outcome.told())
        failed = failed or bool(outcome.wrong)
    return failed


def _task_runs(asked: argparse.Namespace) -> bool:
    """100,000 events of task runs, out of order and repeated"""
    environ = {**os.environ, "SOAK_TASK_RUNS": TASK_RUNS}
    test = "tests/end_to_end/test_task_run_events.py"
    command = [sys.executable, "-m", "pytest", "-q", test, "--dialect", asked.database]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode != 0


PARTS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "task_runs": _task_runs,
    "kills": _kills,
}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak ARGS=...", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=["all", *PARTS])
    parser.add_argument("--rounds", type=int, default=100, help="kills on each database")
    parser.add_argument("--database", default="both", choices=sorted(DATABASES))
    parser.add_argument("--seed", type=int, default=0, help="draws the moments")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
