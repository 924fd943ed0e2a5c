"""A second process on one database is refused while the first is alive, and only then."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.errors import ConfigError
from armillary.services.presence import Presence
from armillary.services.supervisor import Supervisor
from armillary.testing import ManualClock

ELSEWHERE = "far-away 7 0190"


async def row(core: Core, process: str, *, seen: int) -> None:
    async def enter(unit: Unit) -> None:
        await unit.run("delete from server_process where id = ?", process)
        await unit.run(
            "insert into server_process (id, targets, seen) values (?, 'all', ?)", process, seen
        )

    await core.database.write(enter, workspace=None)


async def processes(core: Core) -> list[str]:
    found = await core.database.read(None).all("select id from server_process")
    return [each[0] for each in found]


async def look_again(core: Core, clock: ManualClock, entering: "asyncio.Task[None]") -> None:
    """Let the one who waits look once more."""
    while not clock.sleepers and not entering.done():
        await core.database.write(lambda unit: unit.all("select 1"), workspace=None)
        await clock.settle()
    await clock.advance(1)


def dead_process() -> int:
    """The number of a process that was here and is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    return dead.pid


async def test_the_first_process_enters_and_leaves(core: Core) -> None:
    presence = Presence(core)
    await presence.open()
    assert len(await processes(core)) == 1
    await presence.close()
    assert await processes(core) == []


async def test_a_process_that_is_still_touched_refuses_another(
    core: Core, clock: ManualClock
) -> None:
    await row(core, ELSEWHERE, seen=clock.micros())
    entering = asyncio.create_task(Presence(core).open())
    await look_again(core, clock, entering)
    assert not entering.done()
    await row(core, ELSEWHERE, seen=clock.micros())
    while not entering.done():
        await look_again(core, clock, entering)
    with pytest.raises(ConfigError, match=r"used by process 7 on far-away.*Redis"):
        await entering
    assert await processes(core) == [ELSEWHERE]


async def test_a_process_that_is_touched_no_more_is_replaced(
    core: Core, clock: ManualClock
) -> None:
    await row(core, ELSEWHERE, seen=clock.micros())
    entering = asyncio.create_task(Presence(core).open())
    while not entering.done():
        await look_again(core, clock, entering)
    await entering
    assert ELSEWHERE not in await processes(core)


async def test_a_process_that_was_last_touched_before_the_clock_was_put_back_is_replaced(
    core: Core, clock: ManualClock
) -> None:
    await row(core, ELSEWHERE, seen=clock.micros())
    clock.jump(-86_400)
    began = clock.monotonic()
    entering = asyncio.create_task(Presence(core).open())
    while not entering.done():
        await look_again(core, clock, entering)
    await entering
    assert ELSEWHERE not in await processes(core)
    assert clock.monotonic() - began < 20


async def test_a_process_that_died_here_is_replaced_at_once(core: Core, clock: ManualClock) -> None:
    await row(core, f"{socket.gethostname()} {dead_process()} 0190", seen=clock.micros())
    await Presence(core).open()
    (name,) = await processes(core)
    assert name.split(" ")[1] == str(os.getpid())


async def test_a_process_whose_place_was_taken_stops(core: Core, clock: ManualClock) -> None:
    supervisor = Supervisor([Presence(core)])
    await supervisor.start()
    await clock.settle()
    async with asyncio.timeout(60):
        await core.database.write(
            lambda unit: unit.run("delete from server_process"), workspace=None
        )
        await row(core, ELSEWHERE, seen=clock.micros() + 60_000_000)
        await clock.advance(5)
        failure = await supervisor.failure
    await supervisor.stop()
    assert "taken by process 7 on far-away" in str(failure)
