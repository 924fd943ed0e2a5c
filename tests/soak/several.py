"""Several servers on one PostgreSQL under load: killed, frozen for longer than a lease, woken."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.simulation.ledger import Schedule
from tests.simulation.places import HERE
from tests.soak import checks
from tests.soak.asking import Answer, Asker, Gone
from tests.soak.everybody import EVERYBODY, LEASE
from tests.soak.load import Client, Load, until
from tests.soak.one_of_several import BEYOND, TURNS
from tests.soak.server import Recovery, Soaked, spread
from tests.soak.turns import Stretch, overlapping, turns

Say = Callable[[str], None]
EVERY = 5
"""Seconds between two slots of the schedule."""
_ROOT = Path(__file__).parents[2]
_PATIENCE = 3.0
"""Seconds after which a client asks another server."""
_LEASE_BEYOND = 3.0
_SETTLES = 60.0
_LOOK_EVERY = 15.0
_STOOD_STILL = 20.0
_KILLED = 0.5
"""The share of troubles that are kills; the others freeze."""
_HASTE = {
    "ARMILLARY_SCHEDULER_INTERVAL": "2",
    "ARMILLARY_SCHEDULER_MIN_TIME": "60",
    "ARMILLARY_SCHEDULER_MIN_RUNS": "1",
    "ARMILLARY_PLUGINS_DISABLE": "agent,ui",
}


class Server(Soaked):
    """One of them."""

    module = "tests.soak.one_of_several"

    def __init__(self, folder: Path, database_url: str, notes: Path) -> None:
        folder.mkdir()
        paths = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        noted = {TURNS: str(notes), BEYOND: str(_LEASE_BEYOND), "PYTHONPATH": paths}
        super().__init__(folder, database_url, **_HASTE, **noted)

    @property
    def pid(self) -> int:
        return self._process.pid


class Roaming(Asker):
    """Asks another server when one is gone or silent, as behind a balancer."""

    def __init__(self, load: Load) -> None:
        super().__init__(load.port)
        self._load = load

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await super().ask(method, path, body)
        except (TimeoutError, Gone) as error:
            self.close()
            self.port = self._load.port
            raise Gone from error


class Spread(Load):
    """A load whose clients are spread over several servers, and a schedule."""

    def __init__(self, servers: Sequence[Soaked], *, seed: int) -> None:
        super().__init__(servers[0].port, seed=seed)
        self.turn_to(servers)
        self.followed: list[Schedule] = []

    def turn_to(self, servers: Sequence[Soaked]) -> None:
        """Ask these from now on."""
        self._ports = itertools.cycle([server.port for server in servers])

    @property
    def port(self) -> int:
        return next(self._ports)

    def asker(self) -> Asker:
        return Roaming(self)

    async def prepare(self) -> None:
        await super().prepare()
        client = Client(self)
        schedule = {"interval": EVERY, "anchor_date": "2026-01-01T00:00:00Z"}
        body = {"name": "followed", "flow_id": self.flow_id, "schedules": [{"schedule": schedule}]}
        made = await client.ask("POST", "/deployments/", body)
        self.followed.append(Schedule(made.document["id"], HERE, EVERY, _now()))
        client.close()


@dataclass(frozen=True)
class Plan:
    """How many servers, for how many seconds, and how their troubles are drawn."""

    servers: int = 3
    seconds: float = 300.0
    apart: tuple[float, float] = (1.0, 15.0)
    """Seconds between two troubles of a server."""
    frozen: tuple[float, float] = (1.0, 20.0)
    crowd: Mapping[Callable[[Load], Client], int] = field(default_factory=lambda: EVERYBODY)
    seed: int = 0
    patient: bool = True
    """Whether to wait for leases whose holders do not know of them: a minute."""


@dataclass
class Outcome:
    """What the troubles came to."""

    recoveries: list[Recovery] = field(default_factory=list)
    frozen: list[tuple[int, Stretch]] = field(default_factory=list)
    """Which process stood still, and when."""
    turns: int = 0
    wrong: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def told(self) -> str:
        """It in a few lines."""
        writing = spread([each.writing for each in self.recoveries])
        still = spread([each.end - each.begin for _, each in self.frozen])
        return (
            f"  {len(self.recoveries)} kills, first write after the start: {writing}\n"
            f"  {len(self.frozen)} times frozen: {still}\n"
            f"  {self.turns} turns of singletons; answers: {self.answers}\n"
            f"  wrong: {self.wrong[:10] or 'nothing'}"
        )


async def several(database_url: str, folder: Path, plan: Plan, say: Say) -> Outcome:
    """Trouble several servers one by one under load; look now and then, and at the end."""
    notes, outcome = folder / "turns", Outcome()
    servers = [
        Server(folder / f"server{number}", database_url, notes) for number in range(plan.servers)
    ]
    load = Spread(servers, seed=plan.seed)
    try:
        await servers[0].recover()
        await asyncio.gather(*(server.recover() for server in servers[1:]))
        await load.prepare()
        load.start(plan.crowd)
        until_then = time.monotonic() + plan.seconds
        watching = asyncio.create_task(_watched(load))
        await asyncio.gather(
            _looked(database_url, load, until_then, outcome, say),
            *(
                _troubled(server, plan, f"{plan.seed} {number}", until_then, outcome)
                for number, server in enumerate(servers)
            ),
        )
        await load.end()
        outcome.wrong += await _settled(database_url, load, patient=plan.patient)
        outcome.wrong += [
            f"in the log: {line}" for server in servers for line in server.faults()[:5]
        ]
        for server in servers:
            if server.interrupt() != 0:
                outcome.wrong.append(f"one did not end cleanly: {server.log()[-500:]}")
        watching.cancel()
    finally:
        await load.abandon()
        for server in servers:
            server.kill()
    taken = turns(notes)
    outcome.turns = len(taken)
    outcome.wrong += overlapping(taken, outcome.frozen)
    outcome.answers = dict(load.ledger.answers)
    return outcome


async def _troubled(
    server: Server, plan: Plan, seed: str, until_then: float, outcome: Outcome
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same moments every time
    while True:
        await asyncio.sleep(chance.uniform(*plan.apart))
        if time.monotonic() > until_then or outcome.wrong:
            return
        if chance.random() < _KILLED:
            server.kill()
            await asyncio.sleep(chance.uniform(0, 1))
            outcome.recoveries.append(await server.recover())
            continue
        began = time.monotonic()
        server.tell(signal.SIGSTOP)
        await asyncio.sleep(chance.uniform(*plan.frozen))
        outcome.frozen.append((server.pid, Stretch(began, time.monotonic())))
        server.tell(signal.SIGCONT)


async def _watched(load: Spread) -> None:
    """Where the whole machine stood still for long, nobody could make the runs of that time."""
    before = time.monotonic()
    while True:
        await asyncio.sleep(1)
        before, now = time.monotonic(), before
        if before - now > _STOOD_STILL:
            load.followed[:] = [replace(each, since=_now()) for each in load.followed]


async def _looked(
    database_url: str, load: Spread, until_then: float, outcome: Outcome, say: Say
) -> None:
    while time.monotonic() < until_then and not outcome.wrong:
        await asyncio.sleep(min(_LOOK_EVERY, until_then - time.monotonic()))
        outcome.wrong += await checks.wrong_meanwhile(database_url, load.ledger)
        left = until_then - time.monotonic()
        say(f"  {left:.0f} s left, {len(outcome.recoveries)} kills, {dict(load.ledger.answers)}")


async def _settled(database_url: str, load: Spread, *, patient: bool) -> list[str]:
    """What is wrong once nothing is under way any more."""
    left: list[str] = []

    async def look() -> bool:
        left[:] = await checks.at_rest(database_url, load.ledger, leases=patient)
        return not left

    await until(look, within=_SETTLES + (LEASE if patient else 0))
    return [
        *left,
        *await checks.wrong(database_url, load.ledger),
        *await checks.off_schedule(database_url, load.followed),
    ]


def _now() -> int:
    return time.time_ns() // 1000
