"""`make soak`: the server under real faults; `ARGS="kills --rounds 100"` chooses a part."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.servers import running_redis
from tests.soak import full
from tests.soak.away import absences
from tests.soak.commands import Plan as Commanded
from tests.soak.commands import commands
from tests.soak.dawdlers import crowd
from tests.soak.full import failing, filled, may_mount, small_disk
from tests.soak.jobs import Plan as Employed
from tests.soak.jobs import jobs
from tests.soak.kills import Plan, kills
from tests.soak.places import database, faulty_postgres
from tests.soak.server import spread
from tests.soak.several import Plan as Troubles
from tests.soak.several import several
from tests.soak.takeover import takeover
from tests.soak.weight import SOON, fill, heavy_kills

ROOT = Path(__file__).parents[2]
DATABASES = {"both": ("sqlite", "postgres"), "sqlite": ("sqlite",), "postgres": ("postgres",)}
TASK_RUNS = "20000"
"""Of five events each."""
DAWDLERS = 2000
TROUBLED = 300.0
"""Seconds for which several servers are troubled."""
EMPLOYED = 120.0
"""Seconds for which jobs are troubled on each database with each queue."""
PATIENCE = 30.0
"""Seconds they are borne with, as by default."""
GIGABYTE = 1 << 30


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


def _postgres(asked: argparse.Namespace) -> bool:
    """PostgreSQL is cut off, killed, stopped, restarted and frozen under load"""
    wrong: list[str] = []
    for _ in range(asked.times):
        with faulty_postgres() as postgres, tempfile.TemporaryDirectory(prefix="soak-") as folder:
            outcome = asyncio.run(absences(postgres, Path(folder), say))
        wrong += outcome.wrong
    return _told(wrong)


def _several(asked: argparse.Namespace) -> bool:
    """three servers on one PostgreSQL are killed, frozen and woken under load"""
    plan = Troubles(seconds=asked.times * TROUBLED, seed=asked.seed)
    with database("postgres") as (url, folder):
        outcome = asyncio.run(several(url, folder, plan, say))
    say(outcome.told())
    with database("postgres") as (url, folder):
        wrong = asyncio.run(takeover(url, folder, say))
    return _told(outcome.wrong + wrong)


def _agents(asked: argparse.Namespace) -> bool:
    """agents run commands and are killed, frozen, stopped and started anew, as their server is"""
    failed = False
    for kind in DATABASES[asked.database]:
        plan = Commanded(seconds=asked.times * TROUBLED, seed=asked.seed)
        with database(kind) as (url, folder):
            say(f" {kind}")
            outcome = asyncio.run(commands(url, folder, plan, say))
        say(outcome.told())
        failed = failed or bool(outcome.wrong)
    return failed


def _jobs(asked: argparse.Namespace) -> bool:
    """jobs are done while the server is killed, and Redis killed, cut off and frozen"""
    failed = False
    plan = Employed(seconds=asked.times * EMPLOYED, seed=asked.seed)
    for kind in DATABASES[asked.database]:
        with database(kind) as (url, folder):
            say(f" {kind}")
            outcome = asyncio.run(jobs(url, folder, None, plan, say))
            say(outcome.told())
        with database(kind) as (url, folder), running_redis() as redis:
            say(f" {kind} and Redis")
            over_redis = asyncio.run(jobs(url, folder, redis, plan, say))
            say(over_redis.told())
        failed = failed or bool(outcome.wrong or over_redis.wrong)
    return failed


def _disk(asked: argparse.Namespace) -> bool:
    """the disk of a SQLite database is full, read-only and broken under load"""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        outcome = asyncio.run(
            failing(Path(folder), say, full.Plan(2 * asked.times, hold=3, kills=True))
        )
    wrong += outcome.wrong
    if not may_mount():
        say("  a file system that is really full was left out: only root may make one")
        return _told(wrong)
    with small_disk() as disk, tempfile.TemporaryDirectory(prefix="soak-") as folder:
        work = filled(disk, Path(folder), say, full.Plan(4 * asked.times, hold=3, kills=True))
        wrong += asyncio.run(work).wrong
    return _told(wrong)


def _connections(asked: argparse.Namespace) -> bool:
    """2,000 connections dawdle or never read while 29 normal clients go on"""
    wrong: list[str] = []
    for kind in DATABASES[asked.database]:
        with database(kind) as (url, folder):
            say(f" {kind}")
            outcome = asyncio.run(crowd(url, folder, say, count=DAWDLERS, patience=PATIENCE))
        say(
            f"  all gone after {outcome.gone_after:.0f} s, at most {outcome.most_memory >> 20} MiB"
            f" in memory; normal clients: {outcome.answers}"
        )
        wrong += outcome.wrong
    return _told(wrong)


def _recovery(asked: argparse.Namespace) -> bool:
    """a SQLite database of a gigabyte is killed under load and answers again within 2 s"""
    with database("sqlite") as (url, folder):
        file = Path(url.removeprefix("sqlite:///"))
        fill(file, GIGABYTE, say)
        outcome = asyncio.run(heavy_kills(file, folder, say, rounds=5 * asked.times, load_for=5))
    say(f"  answering again: {spread([each.answering for each in outcome.recoveries])}")
    slow = [each for each in outcome.recoveries if each.answering > SOON]
    return _told(outcome.wrong + [f"it took {each.answering:.2f} s" for each in slow])


def _task_runs(asked: argparse.Namespace) -> bool:
    """100,000 events of task runs, out of order and repeated"""
    environ = {**os.environ, "SOAK_TASK_RUNS": TASK_RUNS}
    test = "tests/end_to_end/test_task_run_events.py"
    command = [sys.executable, "-m", "pytest", "-q", test, "--dialect", asked.database]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode != 0


def _told(wrong: list[str]) -> bool:
    say(f"  wrong: {wrong[:10] or 'nothing'}")
    return bool(wrong)


PARTS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "kills": _kills,
    "postgres": _postgres,
    "several": _several,
    "agents": _agents,
    "jobs": _jobs,
    "disk": _disk,
    "connections": _connections,
    "recovery": _recovery,
    "task_runs": _task_runs,
}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak ARGS=...", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=["all", *PARTS])
    parser.add_argument("--rounds", type=int, default=100, help="kills on each database")
    parser.add_argument("--database", default="both", choices=sorted(DATABASES))
    parser.add_argument("--times", type=int, default=1, help="how often to go through other parts")
    parser.add_argument("--seed", type=int, default=0, help="draws the moments")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
