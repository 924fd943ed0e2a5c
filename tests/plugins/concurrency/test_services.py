"""Slots of holders that have gone come back, those of others never."""

import pytest

from armillary import Done
from armillary.concurrency import leases, limits
from armillary.concurrency.leases import Grant, Holder
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.testing import ManualClock
from armillary_plugins.concurrency.config import Config
from armillary_plugins.concurrency.services import TakeSlotsBack


async def hold(core: Core, number: int, seconds: float | None, *, workspace: int = 1) -> None:
    """Take a slot of the workspace's limit."""

    async def work(unit: Unit) -> None:
        limit_id = f"l{workspace}"
        if not await limits.exists(unit, limit_id):
            await limits.insert(unit, limits.new_limit(limit_id, "l", 9, unit.micros))
        expires = leases.NEVER if seconds is None else leases.after(unit.micros, seconds)
        grant = Grant(
            id=f"x{number}", slots=1, expires=expires, holder=Holder("flow_run", "nobody")
        )
        assert await leases.take(unit, await limits.lock(unit, [limit_id]), grant)

    await core.database.write(work, workspace=workspace)


async def used(core: Core, workspace: int = 1) -> int:
    limit = await limits.read(core.database.read(workspace), f"l{workspace}")
    assert limit is not None
    return limit.active_slots


async def after(seconds: int, service: TakeSlotsBack, clock: ManualClock) -> Done:
    """What the last turn does, of those that come in so many seconds."""
    done = Done()
    for _ in range(0, seconds, int(service.interval)):
        await clock.advance(service.interval)
        done = await service.run_once()
    return done


async def test_slots_of_leases_past_their_end_come_back_in_every_workspace(
    core: Core, clock: ManualClock
) -> None:
    await hold(core, 1, 60)
    await hold(core, 2, 90)
    await hold(core, 3, 60, workspace=2)
    service = TakeSlotsBack(core, Config())
    assert await service.run_once() == Done(found=0, changed=0)
    assert await after(60, service, clock) == Done(found=2, changed=2)
    assert (await used(core), await used(core, 2)) == (1, 0)
    assert await after(30, service, clock) == Done(found=1, changed=1)
    assert await used(core) == 0


async def test_what_nobody_could_renew_does_not_end(core: Core, clock: ManualClock) -> None:
    await hold(core, 1, 60)
    await hold(core, 2, None)
    service = TakeSlotsBack(core, Config())
    await service.run_once()
    await clock.advance(1810)
    assert await service.run_once() == Done()
    assert await after(40, service, clock) == Done()
    assert await used(core) == 2
    assert await after(10, service, clock) == Done(found=1, changed=1)
    assert await used(core) == 1


async def test_leases_last_longer_by_as_long_as_no_server_was_there(
    core: Core, clock: ManualClock
) -> None:
    await hold(core, 1, 60)
    await TakeSlotsBack(core, Config()).run_once()
    await clock.advance(30)
    await hold(core, 2, 60)
    await clock.advance(1000)
    service = TakeSlotsBack(core, Config())
    assert await service.run_once() == Done()
    assert await after(50, service, clock) == Done()
    assert await after(10, service, clock) == Done(found=2, changed=2)


async def test_a_lease_that_came_after_the_last_turn_outlives_an_absence_too(
    core: Core, clock: ManualClock
) -> None:
    await TakeSlotsBack(core, Config()).run_once()
    await clock.advance(100)
    await hold(core, 1, 60)
    await clock.advance(1000)
    service = TakeSlotsBack(core, Config())
    assert await service.run_once() == Done()
    assert await after(50, service, clock) == Done()
    assert await after(10, service, clock) == Done(found=1, changed=1)


async def test_where_a_server_starts_again_and_again_leases_end_all_the_same(
    core: Core, clock: ManualClock
) -> None:
    await hold(core, 1, 60)
    for _ in range(5):
        service = TakeSlotsBack(core, Config())
        await service.run_once()
        assert await after(10, service, clock) == Done()
        await clock.advance(7)
    service = TakeSlotsBack(core, Config())
    await service.run_once()
    assert await after(10, service, clock) == Done(found=1, changed=1)


async def test_who_takes_the_service_over_does_not_count_turns_of_others_as_an_absence(
    core: Core, clock: ManualClock
) -> None:
    here, there = TakeSlotsBack(core, Config()), TakeSlotsBack(core, Config())
    await here.run_once()
    await hold(core, 1, 60)
    await there.run_once()
    assert await after(50, there, clock) == Done()
    assert await after(10, here, clock) == Done(found=1, changed=1)


async def test_a_lease_that_begins_after_the_clock_was_put_forward_is_put_off_by_nothing(
    core: Core, clock: ManualClock
) -> None:
    await hold(core, 1, 60)
    service = TakeSlotsBack(core, Config())
    await service.run_once()
    clock.jump(3600)
    await clock.advance(5)
    await hold(core, 2, 60)
    await clock.advance(5)
    assert await service.run_once() == Done()
    assert await after(50, service, clock) == Done(found=1, changed=1)
    assert await after(10, service, clock) == Done(found=1, changed=1)


@pytest.mark.parametrize("lasts", [60, None])
async def test_a_clock_put_back_keeps_the_slot_of_who_has_gone_for_a_lease_at_most(
    core: Core, clock: ManualClock, lasts: float | None
) -> None:
    await hold(core, 1, lasts)
    service = TakeSlotsBack(core, Config(unknown_after=59))
    await service.run_once()
    clock.jump(-86_400)
    assert await after(60, service, clock) == Done()
    assert await after(10, service, clock) == Done(found=1, changed=1)
    assert await used(core) == 0


async def test_nothing_is_stored_at_a_turn_that_has_nothing_to_look_after(
    core: Core, clock: ManualClock
) -> None:
    service = TakeSlotsBack(core, Config())
    await hold(core, 1, 60)
    await after(80, service, clock)
    assert await used(core) == 0
    assert await core.database.read(None).all("select * from service_turn") == []


async def test_a_turn_that_is_a_little_late_puts_nothing_off(
    core: Core, clock: ManualClock
) -> None:
    await hold(core, 1, 60)
    service = TakeSlotsBack(core, Config())
    for _ in range(4):
        assert await service.run_once() == Done()
        await clock.advance(15)
    assert await service.run_once() == Done(found=1, changed=1)


async def test_a_turn_ends_a_batch_and_the_next_goes_on(core: Core, clock: ManualClock) -> None:
    for number in range(5):
        await hold(core, number, 60)
    service = TakeSlotsBack(core, Config(batch=3))
    assert await service.run_once() == Done()
    assert await after(60, service, clock) == Done(found=3, changed=3)
    assert await service.run_once() == Done(found=2, changed=2)
    assert await used(core) == 0


async def test_a_lease_that_is_renewed_meanwhile_stays(core: Core, clock: ManualClock) -> None:
    await hold(core, 1, 60)
    await clock.advance(61)
    later = leases.after(clock.micros(), 60)
    await core.database.write(lambda unit: leases.renew(unit, "x1", later), workspace=1)
    ended = await core.database.write(
        lambda unit: leases.give_back_expired(unit, "x1"), workspace=1
    )
    assert not ended
    assert await used(core) == 1


async def test_a_lease_without_an_end_goes_once_its_holder_was_not_heard_of_for_long(
    core: Core, clock: ManualClock
) -> None:
    await hold(core, 1, None)
    service = TakeSlotsBack(core, Config(unknown_after=100))
    await clock.advance(100)
    assert await service.run_once() == Done(found=0, changed=0)
    await clock.advance(1)
    assert await service.run_once() == Done(found=1, changed=1)
    assert await used(core) == 0
