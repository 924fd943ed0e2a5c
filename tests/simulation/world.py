"""One plan carried out: a server, its clients, what goes wrong, and what must hold all the same."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.simulation.clients import Client, GaveUp
from tests.simulation.invariants import onlooker, violations
from tests.simulation.invariants_in_time import EVERY, InTime
from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment
from tests.simulation.network import Answer, Faults, Lost, Network
from tests.simulation.outcome import Outcome, Said
from tests.simulation.people import client, furnish
from tests.simulation.plan import (
    THE_SERVER,
    Arrival,
    ClockJump,
    Freeze,
    FullDisk,
    Kill,
    Plan,
    Step,
    Stop,
    Tuned,
    Weather,
    draw,
)
from tests.simulation.server import Server
from tests.simulation.timeline import Process, SimulatedClock, Timeline
from tests.simulation.tuning import tuned

_SETTLE = 700.0
_SHARED = "/dev/shm"  # noqa: S108 - a folder of its own is made there


def simulate(seed: int, *, life: float | None = None) -> Outcome:
    """Carry out the plan of a seed, or its beginning."""
    plan = draw(seed)
    return carry_out(plan if life is None else plan.cut(life))


def carry_out(plan: Plan) -> Outcome:
    """Carry out a plan to its end, or until something is wrong."""
    loop = Timeline()
    loop.set_exception_handler(lambda *_: None)
    logging.disable(logging.CRITICAL)
    home = Path(tempfile.mkdtemp(prefix="armillary-simulation-", dir=_memory()))
    asyncio.set_event_loop(loop)
    world = _World(plan, loop, home)
    try:
        with tuned(step.what for step in plan.steps if isinstance(step, Tuned)) as settings:
            world.server.settings.update(settings)
            loop.run_until_complete(world.run())
        return Outcome(
            plan=plan, wrong=world.wrong, ended=world.ended, kills=world.server.starts - 1,
            runs=len(world.ledger.flow_runs), digest=_digest(world.server.file), said=world.said,
        )  # fmt: skip
    finally:
        world.server.kill()
        loop.bury()
        asyncio.set_event_loop(None)
        logging.disable(logging.NOTSET)
        shutil.rmtree(home, ignore_errors=True)


class _Overheard(Network):
    """The network of one client, which remembers what was said."""

    def __init__(self, world: _World, who: str, chance: random.Random) -> None:
        super().__init__(world.server, chance, Faults())
        self._world = world
        self._who = who

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        asked = f"{method} {path} {body or ''}"
        try:
            answer = await super().call(method, path, body, **more)
        except Lost:
            self._heard(asked, "nothing")
            raise
        self._heard(asked, f"{answer[0]} {answer[1]}")
        return answer

    def _deliver(self, method: str, path: str, *more: Any, whole: bool = True) -> Any:
        answer = super()._deliver(method, path, *more, whole=whole)
        if whole:
            what = f"{method} {path} of {self._who}"
            self._world.waiting[answer] = (what, self._world.loop.elapsed)
        return answer

    def _heard(self, asked: str, answered: str) -> None:
        world = self._world
        world.said.append(Said(world.loop.elapsed, self._who, asked, answered))


class _World:
    def __init__(self, plan: Plan, loop: Timeline, home: Path) -> None:
        self.plan = plan
        self.loop = loop
        self.wrong: list[str] = []
        self.said: list[Said] = []
        self.waiting: dict[asyncio.Future[Any], tuple[str, float]] = {}
        """What the server was asked, and when it came there."""
        self.ended = 0.0
        self._began = 0.0
        self._set_at: int | None = None
        self.ledger = Ledger()
        self.server = Server(loop, home, self._chance("server"))
        self._in_time = InTime()
        self._rows: sqlite3.Connection
        self._people: dict[str, Process] = {}
        self._networks: list[Network] = []
        self._over = asyncio.Event()
        self._away = 0.0
        self._doom: Kill | None = None
        """The kill that nobody has died of yet."""
        self._asleep: Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def _chance(self, of: str) -> random.Random:
        return random.Random(f"{of} {self.plan.seed}")  # noqa: S311 - the point is that it repeats

    async def run(self) -> None:
        await self.server.start()
        with contextlib.closing(onlooker(self.server.file)) as self._rows:
            await self._live()

    async def _live(self) -> None:
        try:
            await self._furnish()
        except GaveUp:
            self.check("at the beginning")
            self._found("at the beginning", ["the workspaces cannot be furnished"])
            return
        began = self._began = self.loop.elapsed
        for step in self.plan.steps:
            self._begin(self._at(began + step.at, step))
        self._begin(self._look())
        self._begin(self._restart())
        try:
            await asyncio.wait_for(self._over.wait(), self.plan.life)
        except TimeoutError:
            await self._let_settle()
        self.ended = self.loop.elapsed - began

    async def _furnish(self) -> None:
        setting = Client("setting", self._network("setting"), self.ledger, self._chance("setting"))
        await furnish(setting)

    async def _let_settle(self) -> None:
        """Let everybody go and the server end what is left, then look."""
        for task in self._tasks[:-2]:
            task.cancel()
        for person in self._people.values():
            person.kill()
        self.server.disk.full = False
        self.server.process.thaw()
        self.server.process.calls_left = self.server.process.commits_left = self._doom = None
        await asyncio.sleep(_SETTLE)
        self._in_time.forget()
        self.check("at the end", settled=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self.loop.create_task(work))

    async def _at(self, moment: float, step: Step) -> None:
        await asyncio.sleep(moment - self.loop.elapsed)
        match step:
            case Arrival():
                await self._arrive(step)
            case Kill():
                self._away = step.away
                self._doom = step
                self._aim()
            case Stop():
                self._away = step.away
                self.server.stop()
            case Weather():
                await self._turn_bad(step)
            case FullDisk():
                self.server.disk.full = True
                await asyncio.sleep(step.seconds)
                self.server.disk.full = False
                self._give_time()
            case Freeze():
                await self._freeze(step)
            case ClockJump():
                self.server.clock.wrong += timedelta(seconds=step.seconds)
                self._set_at = self.server.clock.micros()

    def _aim(self) -> None:
        """Let the process that runs now die of the last kill; one that is away dies of it later."""
        process = self.server.process
        if self._doom is not None and process.alive:
            if process.calls_left is None and process.commits_left is None:
                process.calls_left, process.commits_left = self._doom.calls, self._doom.commits
            self._doom = None

    async def _arrive(self, step: Arrival) -> None:
        chance = random.Random(step.seed)  # noqa: S311 - the point is that it repeats
        network = self._network(step.name)
        one = client(step.role, step.name, network, self.ledger, chance)
        person = self._people[step.name] = Process(step.name)
        self.server.kept.append(self.loop.within(person, lambda: self.loop.create_task(one.run())))
        await asyncio.sleep(step.leaves - step.at)
        person.kill()

    async def _freeze(self, step: Freeze) -> None:
        process = self._people.get(step.who)
        if step.who == THE_SERVER:
            process = self._asleep = self.server.process
        if process is not None:
            process.freeze()
            await asyncio.sleep(step.seconds)
            process.thaw()
            if process is self._asleep:
                self._asleep = None
                self._give_time()

    def _network(self, who: str) -> Network:
        network = _Overheard(self, who, self._chance(f"network of {who}"))
        self._networks.append(network)
        return network

    async def _turn_bad(self, step: Weather) -> None:
        self._faults(Faults(**step.rates))
        await asyncio.sleep(step.until - step.at)
        self._faults(Faults())

    def _faults(self, faults: Faults) -> None:
        for network in self._networks:
            network.faults = faults

    async def _restart(self) -> None:
        """Look after every death, and start the server again after a while."""
        while True:
            dead = asyncio.Event()
            self.server.process.on_death.append(dead.set)
            if self.server.process.alive:
                await dead.wait()
            self.waiting.clear()
            self._in_time.forget()
            self.check(f"after kill {self.server.starts}")
            await asyncio.sleep(self._away)
            starting = asyncio.ensure_future(self.server.start())
            await asyncio.sleep(0)
            self._aim()
            await starting

    async def _look(self) -> None:
        """See now and then that what must happen soon does."""
        while True:
            await asyncio.sleep(EVERY)
            if self.server.disk.full or self._asleep is not None:
                self._give_time()
            elif self.server.alive:
                self.ledger.served += EVERY
                elapsed, micros = self.loop.elapsed, self.server.clock.micros()
                self.waiting = {one: of for one, of in self.waiting.items() if not one.done()}
                overdue = self._in_time.overdue(self._rows, elapsed, micros, self.waiting.values())
                self._found(f"at {elapsed - self._began:.0f} s", overdue)

    def _give_time(self) -> None:
        """Nothing has been waited for yet, as far as that is to be blamed."""
        now = self.loop.elapsed
        self._in_time.forget()
        self.waiting = {one: (what, now) for one, (what, _) in self.waiting.items()}

    def check(self, when: str, *, settled: bool = False) -> None:
        """Hold everything against what it must be."""
        moment = Moment(
            true=SimulatedClock(self.loop).micros(),
            server=self.server.clock.micros(),
            elapsed=self.loop.elapsed,
            set_at=self._set_at,
            settled=settled,
        )
        failures = self.server.failures
        self._found(when, [*failures, *violations(self._rows, self.ledger, moment)])

    def _found(self, when: str, wrong: list[str]) -> None:
        self.wrong += [f"{when}: {each}" for each in wrong]
        if self.wrong:
            self._over.set()


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        for line in connection.iterdump():
            digest.update(line.encode())
    connection.close()
    return digest.hexdigest()


def _memory() -> str | None:
    return _SHARED if Path(_SHARED).is_dir() else None
