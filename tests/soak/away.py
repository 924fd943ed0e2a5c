"""PostgreSQL is cut off, stopped, killed, restarted and frozen while a load goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak import checks
from tests.soak.everybody import EVERYBODY
from tests.soak.load import Client, Load, until
from tests.soak.places import Faulty
from tests.soak.probing import Probes, questions
from tests.soak.server import Soaked

Say = Callable[[str], None]
_HEARD = 30.0
FAULTS = ("cut", "stop", "kill", "restart", "freeze")


@dataclass
class Absences:
    """What some absences came to."""

    wrong: list[str] = field(default_factory=list)
    recoveries: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class _Scene:
    server: Soaked
    postgres: Faulty
    load: Load
    away: float
    outcome: Absences
    say: Say


async def absences(
    postgres: Faulty, folder: Path, say: Say, *, faults: tuple[str, ...] = FAULTS, away: float = 3.0
) -> Absences:
    """Let PostgreSQL go away in every way for some seconds; look after each."""
    server = Soaked(folder, postgres.url)
    load = Load(server.port)
    scene = _Scene(server, postgres, load, away, Absences(), say)
    try:
        await server.recover()
        await load.prepare()
        load.start(EVERYBODY)
        await asyncio.sleep(0.5)
        for fault in faults:
            await (_cut(scene) if fault == "cut" else _absence(scene, fault))
            if scene.outcome.wrong:
                break
        if not scene.outcome.wrong:
            await load.end()
            scene.outcome.wrong += await _settled(postgres.url, load)
        if server.interrupt() != 0:
            scene.outcome.wrong.append(f"it did not end cleanly: {server.log()[-500:]}")
        scene.outcome.wrong += [
            f"in the log: {line}" for line in server.log().splitlines() if "Traceback" in line
        ]
    finally:
        await load.abandon()
        server.kill()
    return scene.outcome


async def _cut(scene: _Scene) -> None:
    """End every connection, one after the other, and those that came instead."""
    count = 0
    end = time.monotonic() + scene.away
    while time.monotonic() < end:
        for pid in await asyncio.to_thread(scene.postgres.backends):
            await asyncio.to_thread(scene.postgres.cut, pid)
            count += 1
    await _recovered(scene, f"cut ({count} connections)", time.monotonic())


async def _absence(scene: _Scene, fault: str) -> None:
    postgres = scene.postgres
    client = Client(scene.load)
    body = {"flow_id": scene.load.flow_id}
    run = (await client.ask("POST", "/flow_runs/", body)).document
    client.close()
    asked = questions(scene.load.flow_id, run["id"], scene.load.deployment_id)
    if fault == "freeze":
        postgres.freeze()
    elif fault == "kill":
        await asyncio.to_thread(postgres.kill)
    else:
        await asyncio.to_thread(postgres.stop)
    if fault != "restart":
        async with Probes(scene.server.port, asked) as told:
            # Who was asked just before may still have been answered by what is gone now.
            await asyncio.sleep(scene.away if fault != "freeze" else scene.away + 10)
        scene.say(f"  while away ({fault}): {told}")
        scene.outcome.wrong += [f"{fault}: {sentence}" for sentence in told.wrong]
    began = time.monotonic()
    await asyncio.to_thread(postgres.thaw if fault == "freeze" else postgres.boot)
    booted = time.monotonic()
    await _recovered(scene, fault, booted if fault != "freeze" else began)


async def _recovered(scene: _Scene, fault: str, began: float) -> None:
    """Everything goes on: writes are taken, and who listens hears of what happens now."""
    recovery = await scene.server.recovered(began)
    scene.outcome.recoveries.setdefault(fault.partition(" ")[0], []).append(recovery.writing)
    heard, confirmed = len(scene.load.live), len(scene.load.ledger.events)

    def goes_on() -> bool:
        return len(scene.load.live) > heard and len(scene.load.ledger.events) > confirmed

    listening = await until(goes_on, within=_HEARD)
    if listening is None:
        scene.outcome.wrong.append(f"{fault}: no live event within {_HEARD:g} s")
        return
    scene.say(
        f"  {fault}: first write after {recovery.writing:.2f} s, "
        f"live events after {recovery.writing + listening:.2f} s"
    )
    scene.outcome.wrong += await checks.wrong_meanwhile(scene.postgres.url, scene.load.ledger)


async def _settled(url: str, load: Load) -> list[str]:
    left: list[str] = []

    async def look() -> bool:
        left[:] = await checks.at_rest(url, load.ledger, leases=False)
        return not left

    await until(look, within=60)
    return left + await checks.wrong(url, load.ledger)
