"""Jobs, in our own database and over Redis, while the server and Redis are killed and cut off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import ROOT, Redis
from tests.simulation.invariants import violations
from tests.simulation.ledger import Ledger
from tests.simulation.places import HERE
from tests.soak.checks import copied
from tests.soak.load import Client, until
from tests.soak.removing import Canceller, Removals, Remover, Wishes
from tests.soak.server import Recovery, Soaked, spread

Say = Callable[[str], None]
TROUBLES = ("server",)
OVER_REDIS = ("server", "redis", "cut", "both", "frozen")
_SETTLES = 300.0
_MIDDLE = 5.0
_NO_ORPHAN = "every row belongs to something"
_ENVIRON = {
    "ARMILLARY_PLUGINS_DISABLE": "agent,ui",
    "ARMILLARY_CANCELLATION_CLEANUP_TIMEOUT": "2",
    "ARMILLARY_CANCELLATION_CLEANUP_INTERVAL": "1",
}
_UNDER_WAY = "select job, state, attempts, error from job where state in ('waiting', 'active')"
_ENDED = "select job, state, attempts, error from job where state not in ('waiting', 'active')"
_OFTEN_CANCELLED = """
select flow_run_id, count(*) from flow_run_state where type = 'CANCELLED'
group by flow_run_id having count(*) > 1
"""


@dataclass(frozen=True)
class Plan:
    """For how long, how far apart the troubles are, and how they are drawn."""

    seconds: float = 120.0
    troubles: tuple[str, ...] = ()
    """In this order, where they are not drawn."""
    apart: tuple[float, float] = (0.2, 4.0)
    away: tuple[float, float] = (0.0, 3.0)
    removers: int = 4
    cancellers: int = 2
    seed: int = 0


@dataclass
class Outcome:
    """What the troubles came to."""

    recoveries: list[Recovery] = field(default_factory=list)
    befallen: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    """How many jobs of a kind ended how."""
    attempts: int = 0
    """The most that a job has needed."""
    settled: float | None = None
    """Seconds from the end of the load until no job was left."""
    wrong: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def told(self) -> str:
        """It in a few lines."""
        answering = spread([each.answering for each in self.recoveries])
        settled = "never" if self.settled is None else f"after {self.settled:.1f} s"
        return (
            f"  {dict(self.befallen)}; answers: {self.answers}\n"
            f"  answering again after the start: {answering}\n"
            f"  jobs: {dict(self.jobs)}, {self.attempts} attempts at most; none left {settled}\n"
            f"  wrong: {self.wrong[:10] or 'nothing'}"
        )


class Server(Soaked):
    """One that takes up jobs soon."""

    module = "tests.soak.hasty_jobs"

    def __init__(self, folder: Path, database_url: str, redis: Redis | None) -> None:
        paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        at = {} if redis is None else {"ARMILLARY_REDIS_URL": redis.url}
        super().__init__(folder, database_url, **_ENVIRON, **at, PYTHONPATH=paths)


class Scene:
    """A server, perhaps a Redis, and what befalls them."""

    def __init__(self, server: Server, redis: Redis | None, plan: Plan, wishes: Wishes) -> None:
        self.outcome = Outcome()
        self._server = server
        self._redis = redis
        self._plan = plan
        self._wishes = wishes
        self._chance = random.Random(plan.seed)  # noqa: S311 - the same moments every time

    def drawn(self) -> str:
        return self._chance.choice(OVER_REDIS if self._redis else TROUBLES)

    async def pause(self) -> None:
        await asyncio.sleep(self._chance.uniform(*self._plan.apart))

    async def befall(self, trouble: str) -> None:
        """Let one thing happen, and be over."""
        self.outcome.befallen[trouble] += 1
        if trouble in {"server", "both"}:
            await self._in_the_middle()
            self._server.kill()
        if self._redis is not None and trouble != "server":
            await self._to_redis(self._redis, trouble)
        if trouble in {"server", "both"}:
            self.outcome.recoveries.append(await self._server.recover())

    async def _in_the_middle(self) -> None:
        """Wait until something was just deleted, and its job is under way."""
        before = len(self._wishes.deleted)
        await until(lambda: len(self._wishes.deleted) > before, within=_MIDDLE)
        await asyncio.sleep(self._chance.uniform(0, 0.1))

    async def _to_redis(self, redis: Redis, trouble: str) -> None:
        if trouble == "cut":
            for _ in range(5):
                await asyncio.to_thread(redis.cut)
                await asyncio.sleep(self._chance.uniform(0, 0.3))
            return
        redis.tell(signal.SIGSTOP if trouble == "frozen" else signal.SIGKILL)
        await asyncio.sleep(self._chance.uniform(*self._plan.away))
        if trouble == "frozen":
            redis.tell(signal.SIGCONT)
        else:
            redis.kill()
            await asyncio.to_thread(redis.start)


async def jobs(
    database_url: str, folder: Path, redis: Redis | None, plan: Plan, say: Say
) -> Outcome:
    """Let jobs be done under troubles; look after each, and when all are done."""
    server = Server(folder, database_url, redis)
    load = Removals(server.port, seed=plan.seed)
    scene = Scene(server, redis, plan, load.wishes)
    outcome = scene.outcome
    try:
        await server.recover()
        await load.prepare()
        load.start({Remover: plan.removers, Canceller: plan.cancellers})
        await _troubled(scene, plan, database_url, load, say)
        await load.end()
        began = time.monotonic()
        if await until(lambda: _done(database_url, load.wishes), within=_SETTLES) is not None:
            outcome.settled = time.monotonic() - began
        outcome.wrong += await _fulfilled(database_url, load, outcome)
        outcome.wrong += [f"in the log: {line}" for line in server.faults()[:5]]
        if server.interrupt() != 0:
            outcome.wrong.append(f"it did not end cleanly: {server.log()[-500:]}")
        outcome.wrong += await asyncio.to_thread(_audited, database_url, folder)
    finally:
        await load.abandon()
        server.kill()
    outcome.answers = dict(load.ledger.answers)
    return outcome


async def _troubled(scene: Scene, plan: Plan, database_url: str, load: Removals, say: Say) -> None:
    outcome = scene.outcome
    began = time.monotonic()
    troubles = iter(plan.troubles)
    while not outcome.wrong:
        await scene.pause()
        trouble = next(troubles, "") if plan.troubles else scene.drawn()
        if not trouble or time.monotonic() > began + plan.seconds:
            return
        await scene.befall(trouble)
        outcome.wrong += await _wrong(database_url, load)
        say(f"  {time.monotonic() - began:.0f} s: {trouble}, {dict(load.ledger.answers)}")


async def _wrong(database_url: str, load: Removals) -> list[str]:
    """What is wrong whatever is under way: whatever is doomed has its job, nothing is an orphan."""
    known = Ledger(flow_runs=dict.fromkeys(load.ledger.flow_runs, HERE), wrong=load.ledger.wrong)
    async with _copy(database_url) as rows:
        return violations(rows, known)


async def _done(database_url: str, wishes: Wishes) -> bool:
    await asyncio.sleep(0.2)
    async with _copy(database_url) as rows:
        if rows.execute(_UNDER_WAY).fetchone():
            return False
        states = dict(rows.execute("select id, state_type from flow_run"))
        return all(states.get(run) == "CANCELLED" for run in wishes.cancelled)


async def _fulfilled(database_url: str, load: Removals, outcome: Outcome) -> list[str]:
    """What has not come true, though nobody works any more."""
    wishes, wrong = load.wishes, await _wrong(database_url, load)
    async with _copy(database_url) as rows:
        wrong += [f"a job is left: {row}" for row in rows.execute(_UNDER_WAY)]
        for job, state, attempts, error in rows.execute(_ENDED):
            outcome.jobs[f"{job} {state}"] += 1
            outcome.attempts = max(outcome.attempts, attempts)
            if state != "done":
                wrong.append(f"a job {job} is {state} after {attempts} attempts: {error}")
        wrong += [f"{row[0]} is doomed still" for row in rows.execute("select id from doomed")]
        wrong += [f"run {row[0]} was Cancelled {row[1]} times" for row in
                  rows.execute(_OFTEN_CANCELLED)]  # fmt: skip
        states = dict(rows.execute("select id, state_type from flow_run"))
        lines = Counter(row[0] for row in rows.execute("select flow_run_id from log"))
    wrong += [f"run {run} was to be cancelled and is {states.get(run)}"
              for run in wishes.cancelled if states.get(run) != "CANCELLED"]  # fmt: skip
    wrong += [f"run {run} has {lines[run]} of its {count} lines"
              for run, count in wishes.kept.items() if lines[run] != count]  # fmt: skip
    client = Client(load)
    for path in wishes.deleted:
        if (await client.ask("GET", path)).status != 404:
            wrong.append(f"{path} was deleted and is there")
    client.close()
    return wrong


def _audited(database_url: str, folder: Path) -> list[str]:
    """What the audit of an operator finds."""
    words = ["database", "audit", f"--home={folder / 'home'}"]
    done = subprocess.run(
        [sys.executable, "-m", "armillary", *words],
        env={**os.environ, "ARMILLARY_DATABASE_URL": database_url},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    # the first line names the database
    return [] if lines[1:] == [_NO_ORPHAN] else [f"the audit says: {line}" for line in lines]


@contextlib.asynccontextmanager
async def _copy(database_url: str) -> AsyncIterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        copy = Path(folder) / "copy.db"
        await copied(database_url, copy)
        with contextlib.closing(sqlite3.connect(copy)) as rows:
            yield rows
