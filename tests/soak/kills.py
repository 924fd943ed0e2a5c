"""kill -9 at any moment, again and again, under load: what was acknowledged is there."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak import checks
from tests.soak.everybody import EVERYBODY, LEASE
from tests.soak.load import Load, until
from tests.soak.server import Recovery, Soaked, spread

Say = Callable[[str], None]
WHILE_STARTING = 0.1
"""The share of kills that hit a server which is only about to start."""
_SETTLES = 60.0


@dataclass
class Outcome:
    """What some kills came to."""

    recoveries: list[Recovery] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def told(self) -> str:
        """It in a few lines."""
        answering = spread([each.answering for each in self.recoveries])
        writing = spread([each.writing for each in self.recoveries])
        return (
            f"  {len(self.recoveries)} kills; answers: {self.answers}\n"
            f"  answering again after the start: {answering}\n"
            f"  first write accepted: {writing}\n"
            f"  wrong: {self.wrong[:10] or 'nothing'}"
        )


@dataclass(frozen=True)
class Plan:
    """How many kills, how far apart in seconds, and how the moments are drawn."""

    rounds: int
    least: float = 0.2
    most: float = 3.0
    seed: int = 0
    patient: bool = True
    """Whether to wait for leases whose holders do not know of them: a minute."""


async def kills(database_url: str, folder: Path, plan: Plan, say: Say) -> Outcome:
    """Kill and start a server under load; look after every kill, while nobody writes."""
    chance = random.Random(plan.seed)  # noqa: S311 - the same moments every time
    outcome = Outcome()
    server = Soaked(folder, database_url)
    load = Load(server.port, seed=plan.seed)
    try:
        await server.recover()
        await load.prepare()
        load.start(EVERYBODY)
        for number in range(1, plan.rounds + 1):
            await asyncio.sleep(chance.uniform(plan.least, plan.most))
            server.kill()
            outcome.wrong += await checks.wrong(database_url, load.ledger)
            if chance.random() < WHILE_STARTING:
                server.launch()
                await asyncio.sleep(chance.uniform(0, 1.5))
                server.kill()
            outcome.recoveries.append(await server.recover())
            if outcome.wrong:
                break
            if number % 10 == 0:
                recovered = outcome.recoveries[-1]
                say(f"  {number} kills, {recovered.answering:.2f} s, {dict(load.ledger.answers)}")
        if not outcome.wrong:
            await load.end()
            outcome.wrong += await _settled(database_url, load, patient=plan.patient)
        outcome.wrong += [f"in the log: {line}" for line in server.faults()[:5]]
        if server.interrupt() != 0:
            outcome.wrong.append(f"it did not end cleanly: {server.log()[-500:]}")
    finally:
        await load.abandon()
        server.kill()
    outcome.answers = dict(load.ledger.answers)
    return outcome


async def _settled(database_url: str, load: Load, *, patient: bool) -> list[str]:
    """What is wrong once nothing is under way any more."""
    left: list[str] = []

    async def look() -> bool:
        left[:] = await checks.at_rest(database_url, load.ledger, leases=patient)
        return not left

    await until(look, within=_SETTLES + (LEASE if patient else 0))
    return left + await checks.wrong(database_url, load.ledger)
