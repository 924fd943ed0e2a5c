"""A loop takes turns at its interval, survives its failures, and stops between two items."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.services.lease import Lease
from armillary.services.loop import Done, LoopService
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear, ManualClock, eventually

INTERVAL = 10.0
LONGEST = INTERVAL * 1.05


class Turns(LoopService):
    name = "turns"

    def __init__(self, core: Core, work: Callable[["Turns"], Awaitable[Done]]) -> None:
        super().__init__(core, interval=INTERVAL)
        self.work = work
        self.count = 0

    async def run_once(self) -> Done:
        self.count += 1
        return await self.work(self)


async def nothing(_: Turns) -> Done:
    return Done(found=2, changed=1)


@asynccontextmanager
async def running(service: LoopService) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor([service])
    await supervisor.start()
    yield supervisor
    await supervisor.stop()


async def test_the_first_turn_comes_within_a_second_and_the_others_at_the_interval(
    core: Core, clock: ManualClock
) -> None:
    service = Turns(core, nothing)
    async with running(service):
        await clock.advance(1)
        assert service.count == 1
        await clock.advance(INTERVAL * 0.9)
        assert service.count == 1
        await clock.advance(LONGEST - INTERVAL * 0.9)
        assert service.count == 2


async def test_a_turn_is_counted(core: Core) -> None:
    await Turns(core, nothing).turn()
    value = core.metrics.value
    assert value("armillary_service_turns_total", service="turns", outcome="done") == 1
    assert value("armillary_service_found_total", service="turns") == 2
    assert value("armillary_service_changed_total", service="turns") == 1


async def test_what_went_wrong_is_remembered_until_it_goes_well(
    core: Core, clock: ManualClock
) -> None:
    async def fail(service: Turns) -> Done:
        if service.count == 2:
            raise ValueError("out of sorts")
        return Done()

    service = Turns(core, fail)
    await service.turn()
    assert service.record.times == 1
    first = clock.micros()
    await clock.advance(1)
    await service.turn()
    assert service.record.fails
    assert service.record.error == "ValueError: out of sorts"
    assert (service.record.done, service.record.failed) == (first, clock.micros())
    await clock.advance(1)
    await service.turn()
    assert service.record.done == clock.micros()
    assert (service.record.times, service.record.failures) == (2, 1)


async def test_a_failed_turn_is_one_line_and_the_next_one_comes(
    core: Core, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(service: Turns) -> Done:
        if service.count == 1:
            raise ValueError("out of sorts")
        return Done()

    service = Turns(core, fail)
    ear = Ear(service)
    async with running(service):
        await clock.advance(1)
        assert isinstance(await ear.hear("failed"), ValueError)
        await clock.advance(LONGEST)
        assert await ear.hear("turned") == Done()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_stop_ends_a_turn_between_two_items(core: Core, clock: ManualClock) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    handled: list[int] = []

    async def items(service: Turns) -> Done:
        for item in service.each(range(5)):
            reached.set()
            await go_on.wait()
            handled.append(item)
        return Done(changed=len(handled))

    service = Turns(core, items)
    ear = Ear(service)
    async with running(service) as supervisor:
        await clock.advance(1)
        await reached.wait()
        stopping = asyncio.create_task(supervisor.stop())
        await clock.settle()
        go_on.set()
        await stopping
    assert handled == [0]
    assert await ear.hear("turned") == Done(changed=1)


async def test_a_service_starts_and_stops_a_hundred_times(core: Core, clock: ManualClock) -> None:
    service = Turns(core, nothing)
    for _ in range(100):
        async with running(service):
            await clock.advance(1)
    assert service.count == 100
    assert clock.sleepers == 0


async def test_two_copies_do_the_work_once_where_the_database_is_shared(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(core.broker), "shared", True)
    one, other = Turns(core, nothing), Turns(core, nothing)
    first, second = Ear(one), Ear(other)
    await one.turn()
    await other.turn()
    assert (one.count, other.count) == (1, 0)
    assert await first.hear("turned") == Done(found=2, changed=1)
    assert await second.hear("elsewhere") is None
    await one.close()
    await other.turn()
    assert other.count == 1


async def test_a_lease_that_ran_out_goes_to_who_asks_next(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(core.broker), "shared", True)
    one, other = (Lease(core, "turns", seconds=30) for _ in range(2))
    assert await one.hold()
    await clock.advance(29)
    assert await one.hold(), "who has it prolongs it"
    await clock.advance(29)
    assert not await other.hold()
    await clock.advance(2)
    assert await other.hold()
    assert not await one.hold()


async def test_a_lease_of_before_the_clock_was_put_back_binds_nobody(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(core.broker), "shared", True)
    one, other, third = (Lease(core, "turns", seconds=30) for _ in range(3))
    assert await one.hold()
    clock.jump(-29)
    assert not await other.hold(), "as far as clocks of two machines may differ"
    assert await one.hold(), "who has it and lives says so again"
    clock.jump(-86_400)
    assert await other.hold()
    assert not await third.hold()


async def test_a_turn_that_takes_longer_than_its_lease_keeps_it(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(core.broker), "shared", True)
    go_on = asyncio.Event()

    async def long(_: Turns) -> Done:
        await go_on.wait()
        return Done(found=1)

    one, other = Turns(core, long), Turns(core, nothing)
    turn = asyncio.create_task(one.turn())
    await eventually(lambda: one.count)
    for _ in range(10):
        await eventually(lambda: clock.sleepers)
        await clock.advance(20)
    await eventually(lambda: clock.sleepers)
    await other.turn()
    assert other.count == 0
    go_on.set()
    assert await turn == Done(found=1)
    assert clock.sleepers == 0


async def test_a_turn_whose_lease_somebody_else_got_ends_between_two_items(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(core.broker), "shared", True)
    go_on = asyncio.Event()

    async def long(turns: Turns) -> Done:
        done = 0
        for _ in turns.each(range(3)):
            done += 1
            await go_on.wait()
        return Done(found=3, changed=done)

    one = Turns(core, long)
    turn = asyncio.create_task(one.turn())
    await eventually(lambda: one.count)

    async def taken(unit: Unit) -> None:
        await unit.run("update service_lease set holder = 'other'")

    await core.database.write(taken, workspace=None)
    await eventually(lambda: clock.sleepers)
    await clock.advance(20)
    await eventually(lambda: one._lost)
    go_on.set()
    assert await turn == Done(found=3, changed=1)


async def test_alone_a_lease_needs_no_row(core: Core) -> None:
    assert await Lease(core, "turns", seconds=30).hold()
    assert await core.database.read(None).value("select count(*) from service_lease") == 0


async def test_the_jitter_is_drawn_from_the_injected_chance(core: Core, clock: ManualClock) -> None:
    service = Turns(core, nothing)
    draws = random.Random(1)  # noqa: S311 - the same draws as the core's
    core.chance.seed(1)
    async with running(service):
        await clock.advance(draws.random() - 0.001)
        assert service.count == 0
        await clock.advance(0.002)
        assert service.count == 1
