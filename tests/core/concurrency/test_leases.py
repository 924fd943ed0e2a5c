"""Slots are taken all or none, are never more than allowed, and come back exactly once."""

import asyncio
from itertools import count
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armillary.concurrency import leases, limits
from armillary.concurrency.leases import Grant, Holder
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.testing import ManualClock

NAMES = ("a", "b", "c")
WORKSPACES = count(100)
ONE = st.sampled_from(NAMES)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sets(ONE, min_size=1), st.integers(1, 3)),
        st.tuples(st.just("end"), st.integers(0, 9)),
        st.tuples(st.just("end again"), st.integers(0, 9)),
        st.tuples(st.just("switch"), ONE),
        st.tuples(st.just("resize"), ONE, st.integers(0, 4)),
        st.tuples(st.just("delete"), ONE),
    ),
    max_size=25,
)


class Model:
    """What should be: who holds how many slots of what, counted anew each time."""

    def __init__(self) -> None:
        self.limits = {name: [2, True] for name in NAMES}
        self.leases: dict[str, tuple[set[str], int]] = {}
        self.ended: list[str] = []

    def used(self, name: str) -> int:
        return sum(slots for names, slots in self.leases.values() if name in names)

    def take(self, names: set[str], slots: int) -> set[str] | None:
        counted = {name for name in names & self.limits.keys() if self.limits[name][1]}
        full = any(self.used(name) + slots > self.limits[name][0] for name in counted)
        return None if full else counted


async def put(unit: Unit, name: str, **changes: Any) -> None:
    limit = await limits.read_by_name(unit, name)
    if limit is not None:
        await limits.store(unit, [msgspec.structs.replace(limit, **changes)])


async def step(unit: Unit, model: Model, numbers: "count[int]", what: tuple[Any, ...]) -> None:
    match what:
        case ("take", names, slots):
            locked = [each for each in await limits.lock_named(unit, names) if each.active]
            grant = Grant(
                id=f"{unit.workspace}-{next(numbers):04}", slots=slots, expires=1, holder=None
            )
            expected = model.take(names, slots)
            assert await leases.take(unit, locked, grant) == (expected is not None)
            if expected is not None:
                model.leases[grant.id] = (expected, slots)
        case ("end", place) if model.leases:
            lease_id = sorted(model.leases)[place % len(model.leases)]
            assert await leases.give_back(unit, [lease_id]) == 1
            model.leases.pop(lease_id)
            model.ended.append(lease_id)
        case ("end again", place) if model.ended:
            lease_id = model.ended[place % len(model.ended)]
            assert await leases.give_back(unit, [lease_id]) == 0
        case ("switch", name) if name in model.limits:
            model.limits[name][1] = not model.limits[name][1]
            await put(unit, name, active=model.limits[name][1])
        case ("resize", name, size) if name in model.limits:
            model.limits[name][0] = size
            await put(unit, name, limit=size)
        case ("delete", name) if name in model.limits:
            limit = await limits.read_by_name(unit, name)
            assert limit is not None
            await limits.delete(unit, limit.id)
            del model.limits[name]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_the_slots_taken_are_those_of_the_leases(
    core: Core, steps: list[tuple[Any, ...]]
) -> None:
    model, numbers = Model(), count()

    async def work(unit: Unit) -> None:
        for name in NAMES:
            limit_id = f"{unit.workspace}-{name}"
            await limits.insert(unit, limits.new_limit(limit_id, name, 2, unit.micros))
        for what in steps:
            await step(unit, model, numbers, what)
            stored = {x.name: x for x in await limits.list_limits(unit, limit=9, offset=0)}
            assert {name: x.active_slots for name, x in stored.items()} == {
                name: model.used(name) for name in model.limits
            }
        await leases.give_back(unit, list(model.leases))
        left = await limits.list_limits(unit, limit=9, offset=0)
        assert [limit.active_slots for limit in left] == [0] * len(left)

    await core.database.write(work, workspace=next(WORKSPACES))


async def test_many_at_once_never_hold_more_than_allowed(core: Core) -> None:
    async def make(unit: Unit) -> None:
        for name in NAMES:
            await limits.insert(unit, limits.new_limit(name, name, 3, unit.micros))

    await core.database.write(make, workspace=1)

    async def take(number: int) -> bool:
        wanted = [NAMES[number % 3], NAMES[(number + 1) % 3]]
        grant = Grant(id=f"{number:04}", slots=1, expires=1, holder=None)

        async def work(unit: Unit) -> bool:
            return await leases.take(unit, await limits.lock_named(unit, wanted), grant)

        return await core.database.write(work, workspace=1)

    took = await asyncio.gather(*map(take, range(60)))
    stored = await limits.list_limits(core.database.read(1), limit=9, offset=0)
    assert sum(limit.active_slots for limit in stored) == 2 * sum(took)
    assert max(limit.active_slots for limit in stored) <= 3
    assert sum(took) >= 3

    async def end(number: int) -> int:
        return await core.database.write(
            lambda unit: leases.give_back(unit, [f"{number % 60:04}"]), workspace=1
        )

    assert sum(await asyncio.gather(*map(end, range(180)))) == sum(took)
    stored = await limits.list_limits(core.database.read(1), limit=9, offset=0)
    assert [limit.active_slots for limit in stored] == [0, 0, 0]


async def test_a_lease_past_its_end_is_renewed_while_it_is_there(
    core: Core, clock: ManualClock
) -> None:
    async def take(unit: Unit) -> None:
        await limits.insert(unit, limits.new_limit("l", "l", 1, unit.micros))
        grant = Grant(
            id="x", slots=1, expires=leases.after(unit.micros, 60), holder=Holder("flow_run", "r")
        )
        assert await leases.take(unit, await limits.lock(unit, ["l"]), grant)

    async def end_expired() -> bool:
        return await core.database.write(
            lambda unit: leases.give_back_expired(unit, "x"), workspace=1
        )

    async def renew() -> bool:
        until = leases.after(clock.micros(), 60)
        return await core.database.write(lambda unit: leases.renew(unit, "x", until), workspace=1)

    await core.database.write(take, workspace=1)
    await clock.advance(61)
    reader = core.database.read(None)
    assert await leases.expired(reader, clock.micros(), limit=9) == [("x", 1)]
    assert await renew()
    assert not await end_expired()
    await clock.advance(61)
    assert await end_expired()
    assert not await renew()
    limit = await limits.read(core.database.read(1), "l")
    assert limit is not None
    assert limit.active_slots == 0
    assert limit.occupancy == 2 + (122 - 2) / 2


async def test_limits_of_one_name_in_two_workspaces_are_two(core: Core) -> None:
    async def fill(unit: Unit) -> bool:
        name = "same"
        if not await limits.any_named(unit, [name]):
            limit_id = f"l{unit.workspace}"
            await limits.insert(unit, limits.new_limit(limit_id, name, 1, unit.micros))
        locked = await limits.lock_named(unit, [name])
        grant = Grant(id=f"x{unit.workspace}", slots=1, expires=5, holder=Holder("task_run", "t"))
        return await leases.take(unit, locked, grant)

    assert await core.database.write(fill, workspace=1)
    assert not await core.database.write(fill, workspace=1)
    assert await core.database.write(fill, workspace=2)
    for own, other in ((1, 2), (2, 1)):
        reader = core.database.read(own)
        assert await limits.read(reader, f"l{other}") is None
        assert not await limits.exists(reader, f"l{other}")
        assert [x.id for x in await limits.list_limits(reader, limit=9, offset=0)] == [f"l{own}"]
        assert [x.id for x in await leases.of_holder(reader, Holder("task_run", "t"))] == [
            f"x{own}"
        ]
        held = await leases.of_limits(reader, [f"l{own}", f"l{other}"])
        assert {key: [x.id for x in each] for key, each in held.items()} == {
            f"l{own}": [f"x{own}"], f"l{other}": [],
        }  # fmt: skip

        async def meddle(unit: Unit, other: int = other) -> None:
            assert await limits.lock(unit, [f"l{other}"]) == []
            assert not await leases.renew(unit, f"x{other}", 9)
            assert await leases.give_back(unit, [f"x{other}"]) == 0
            assert not await leases.give_back_expired(unit, f"x{other}")
            await limits.drop_deployment_limit(unit, f"d{other}")

        await core.database.write(meddle, workspace=own)
    assert await leases.expired(core.database.read(None), 5, limit=9) == [("x1", 1), ("x2", 2)]


async def test_a_deployment_has_at_most_one_limit_of_its_own(core: Core) -> None:
    async def work(unit: Unit) -> None:
        first = await limits.set_deployment_limit(unit, core.ids, "d", 3)
        stored = await limits.read(unit, first)
        assert await limits.set_deployment_limit(unit, core.ids, "d", 3) == first
        assert await limits.read(unit, first) == stored
        assert await limits.set_deployment_limit(unit, core.ids, "d", 4) == first
        changed = await limits.read(unit, first)
        assert changed is not None
        assert (changed.name, changed.limit) == ("deployment:d", 4)
        other = await limits.set_deployment_limit(unit, core.ids, "e", 1)
        await limits.drop_deployment_limit(unit, "d")
        await limits.drop_deployment_limit(unit, "d")
        assert not await limits.exists(unit, first)
        assert await limits.exists(unit, other)

    await core.database.write(work, workspace=1)


def test_columns_that_were_joined_in_vain_are_no_limit() -> None:
    assert limits.limit_from_columns([None] * 10, 0) is None


def test_joined_columns_show_what_is_taken_now() -> None:
    row = ["l", 0, 0, "n", 1, 5, 4, 0, 1.0, 2.0]
    shown = limits.limit_from_columns(row, 3_000_000)
    assert shown is not None
    assert (shown.active, shown.limit, shown.active_slots) == (True, 5, 1)
