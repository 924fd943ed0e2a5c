"""One seed: a server, its clients, what goes wrong, and what must hold all the same."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.clients import Client, Editor, Script, Worker
from tests.simulation.invariants import violations
from tests.simulation.ledger import Ledger
from tests.simulation.network import Faults, Network
from tests.simulation.server import Server
from tests.simulation.timeline import Process, Timeline

_LIFE = 1800.0
_SETTLE = 700.0
_SHARED = "/dev/shm"  # noqa: S108 - a folder of its own is made there


@dataclass(frozen=True)
class Outcome:
    """What a seed came to."""

    seed: int
    wrong: list[str]
    kills: int
    runs: int
    digest: str
    """Of every row there is: equal for two runs of a seed."""


def simulate(seed: int, *, life: float = _LIFE) -> Outcome:
    """Run one seed to its end."""
    chance = random.Random(seed)  # noqa: S311 - the point is that it repeats
    loop = Timeline()
    loop.set_exception_handler(lambda *_: None)
    logging.disable(logging.CRITICAL)
    home = Path(tempfile.mkdtemp(prefix="armillary-simulation-", dir=_memory()))
    try:
        asyncio.set_event_loop(loop)
        world = _World(seed, loop, home, chance, life)
        loop.run_until_complete(world.run())
        return Outcome(
            seed=seed, wrong=world.wrong, kills=world.server.starts - 1,
            runs=len(world.ledger.flow_runs), digest=_digest(world.server.file),
        )  # fmt: skip
    finally:
        logging.disable(logging.NOTSET)
        asyncio.set_event_loop(None)
        shutil.rmtree(home, ignore_errors=True)


class _World:
    def __init__(
        self, seed: int, loop: Timeline, home: Path, chance: random.Random, life: float
    ) -> None:
        self.seed = seed
        self.loop = loop
        self.chance = chance
        self.life = life
        self.wrong: list[str] = []
        self.ledger = Ledger()
        self.server = Server(loop, home, random.Random(chance.getrandbits(64)))  # noqa: S311
        self.network = Network(self.server, random.Random(chance.getrandbits(64)), self._faults())  # noqa: S311
        self._people: list[Process] = []

    def _faults(self) -> Faults:
        bad = self.chance.choice((0.0, 0.01, 0.1))
        draw = self.chance.random
        return Faults(
            lost_request=bad * draw(), lost_answer=bad * draw(), repeated=bad * draw(),
            broken=bad * draw(), slow=bad * draw(),
        )  # fmt: skip

    async def run(self) -> None:
        await self.server.start()
        setting = Client("setting", self.network, self.ledger, self.chance)
        await setting.ask("POST", "/work_pools/", {"name": "pool", "type": "process"})
        self._arrive(lambda one: Script("script 1", *one).run())
        self._arrive(lambda one: Script("script 2", *one).run())
        self._arrive(lambda one: Worker("worker 1", "pool", *one).run())
        self._arrive(lambda one: Worker("worker 2", "pool", *one).run())
        self._arrive(lambda one: Editor("editor", *one).run())
        ends = self.loop.elapsed + self.life
        while self.loop.elapsed < ends and not self.wrong:
            await self._calm_or_kill(ends)
        for person in self._people:
            person.kill()
        await asyncio.sleep(_SETTLE)
        self.check("at the end")

    def _arrive(self, begin: Callable[..., object]) -> None:
        person = Process("person")
        self._people.append(person)
        one = (self.network, self.ledger, random.Random(self.chance.getrandbits(64)))  # noqa: S311
        self.server.kept.append(
            self.loop.within(person, lambda: self.loop.create_task(begin(one)))  # type: ignore[arg-type]
        )

    async def _calm_or_kill(self, ends: float) -> None:
        calm = self.chance.expovariate(1 / 300)
        await asyncio.sleep(min(calm, max(0.1, ends - self.loop.elapsed)))
        self.server.process.calls_left = self.chance.randrange(2000)
        dead = asyncio.Event()
        self.server.process.on_death.append(dead.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(dead.wait(), max(0.1, ends - self.loop.elapsed))
        self.server.kill()
        self.check(f"after kill {self.server.starts}")
        await asyncio.sleep(self.chance.uniform(0, 20))
        while not self.server.alive:
            await self.server.start()

    def check(self, when: str) -> None:
        self.wrong += [f"{when}: {each}" for each in violations(self.server.file, self.ledger)]


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        for line in connection.iterdump():
            digest.update(line.encode())
    connection.close()
    return digest.hexdigest()


def _memory() -> str | None:
    return _SHARED if Path(_SHARED).is_dir() else None
