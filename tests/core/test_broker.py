"""What commits emit reaches every group once it is settled, in order, and survives a restart."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from armillary.broker import Message, embedded
from armillary.broker.embedded import EmbeddedBroker
from armillary.core import Core
from armillary.db.unit import Emitted, Unit
from armillary.errors import Unavailable
from armillary.events.outbox import START, Outbox, floor
from armillary.settings import load
from armillary.testing import ManualClock

MANY = 30


async def emit(core: Core, *ids: str, topic: str = "events") -> None:
    async def work(unit: Unit) -> None:
        for each in ids:
            unit.emit(Emitted(topic, each, "{}"))

    await core.database.write(work, workspace=1)


def ids(messages: Sequence[Message]) -> list[str]:
    return [message.id for message in messages]


async def rows(core: Core) -> int:
    found: int = await core.database.read(None).value("select count(*) from outbox")
    return found


def another(core: Core) -> EmbeddedBroker:
    return EmbeddedBroker(core.database, core.clock, core.metrics)


async def test_every_group_gets_every_message_of_its_topic(core: Core) -> None:
    one = await core.broker.subscribe("events", "one")
    two = await core.broker.subscribe("events", "two")
    actions = await core.broker.subscribe("actions", "actions")
    await emit(core, "a")
    await emit(core, "x", topic="actions")
    await emit(core, "b")
    for subscription in (one, two):
        got: list[str] = []
        while len(got) < 2:
            got += ids(await subscription.next(10))
        assert got == ["a", "b"]
    assert ids(await actions.next(10)) == ["x"]


async def test_a_message_carries_its_workspace_and_body(core: Core) -> None:
    subscription = await core.broker.subscribe("events", "one")
    await emit(core, "a")
    (message,) = await subscription.next(10)
    assert (message.topic, message.workspace, message.id, message.body) == ("events", 1, "a", "{}")


async def test_a_new_group_gets_what_is_still_there(core: Core) -> None:
    await emit(core, "a")
    assert ids(await (await core.broker.subscribe("events", "one")).next(10)) == ["a"]


async def test_without_a_group_only_what_comes_is_told(core: Core) -> None:
    await emit(core, "a")
    subscription = await core.broker.subscribe("events", None)
    await emit(core, "b")
    assert ids(await subscription.next(10)) == ["b"]


async def test_a_position_survives_and_what_was_not_done_comes_again(core: Core) -> None:
    first = another(core)
    subscription = await first.subscribe("events", "one")
    await emit(core, "a", "b", "c")
    assert ids(await subscription.next(2)) == ["a", "b"]
    subscription.done()
    assert ids(await subscription.next(1)) == ["c"]
    await first.close()
    again = await core.broker.subscribe("events", "one")
    assert ids(await again.next(10)) == ["c"]


async def test_a_broker_closes_though_positions_cannot_be_stored(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("the database is away: the disk is full")

    first = another(core)
    subscription = await first.subscribe("events", "one")
    await emit(core, "a")
    assert ids(await subscription.next(1)) == ["a"]
    subscription.done()
    with monkeypatch.context() as full:
        full.setattr(Outbox, "store", away)
        await subscription.close()
        await first.close()
    again = await core.broker.subscribe("events", "one")
    assert ids(await again.next(10)) == ["a"]


async def test_a_position_is_stored_shortly_after(core: Core, clock: ManualClock) -> None:
    subscription = await core.broker.subscribe("events", "one")
    await emit(core, "a")
    await subscription.next(1)
    subscription.done()
    stored = "select count(*) from consumer_position"
    assert await core.database.read(None).value(stored) == 0
    await clock.advance(0.6)
    async with asyncio.timeout(60):
        # The write is the broker's own: on a server it is on its way after the clock moved.
        while await core.database.read(None).value(stored) != 1:
            await clock.settle()


async def test_a_group_that_falls_behind_misses_nothing(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_QUEUE", 5)
    monkeypatch.setattr(embedded, "_READ", 3)
    slow = await core.broker.subscribe("events", "slow")
    fast = await core.broker.subscribe("events", "fast")
    got: dict[str, list[str]] = {"slow": [], "fast": []}
    for number in range(MANY):
        await emit(core, str(number))
        got["fast"] += ids(await fast.next(10))
        fast.done()
    assert slow.behind
    while len(got["slow"]) < MANY:
        got["slow"] += ids(await slow.next(2))
        slow.done()
    expected = [str(number) for number in range(MANY)]
    assert got == {"slow": expected, "fast": expected}
    await emit(core, "last")
    assert ids(await slow.next(1)) == ["last"]


async def test_a_slow_listener_without_a_group_loses_the_oldest(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_QUEUE", 2)
    listener = await core.broker.subscribe("events", None)
    await emit(core, "a", "b", "c", "d")
    assert ids(await listener.next(10)) == ["c", "d"]
    assert core.metrics.value("armillary_broker_skipped_total", topic="events") == 2


async def test_rows_go_once_every_group_has_passed_them(core: Core, clock: ManualClock) -> None:
    one = await core.broker.subscribe("events", "one")
    two = await core.broker.subscribe("events", "two")
    await emit(core, "a", "b")
    await one.next(10)
    one.done()
    await two.next(1)
    two.done()

    async def swept(*, left: int) -> None:
        await clock.advance(16)
        while await rows(core) != left:
            await clock.settle()

    await swept(left=1)
    await two.next(1)
    two.done()
    await swept(left=0)


async def test_at_idle_nobody_reads(core: Core, clock: ManualClock) -> None:
    await core.broker.subscribe("events", "one")
    await clock.settle()
    assert clock.sleepers == 1, "only the sweep"


def test_the_floor_is_where_the_slowest_stands() -> None:
    stored = {"logs": (0, 5), "actions.urgent": (0, 7), "gone": (0, 1)}
    assert floor(end=(0, 9), here=[], absent=[], stored=stored) == (0, 9)
    assert floor(end=(0, 9), here=[(0, 8)], absent=[], stored=stored) == (0, 8)
    assert floor(end=(0, 9), here=[(0, 8)], absent=["actions"], stored=stored) == (0, 7)
    assert floor(end=(0, 9), here=[], absent=["logs", "actions"], stored=stored) == (0, 5)
    assert floor(end=(0, 9), here=[], absent=["never_ran"], stored=stored) == START


async def test_a_message_waits_for_transactions_that_began_before_it(
    fresh_postgres: str, clock: ManualClock, tmp_path: Path
) -> None:
    settings = load({}, environ={}, flags={"home": str(tmp_path), "database.url": fresh_postgres})
    core = Core.create(settings, found={}, clock=clock)
    await core.open()
    older = await asyncpg.connect(fresh_postgres)
    try:
        subscription = await core.broker.subscribe("events", "one")
        transaction = older.transaction()
        await transaction.start()
        await older.execute(
            "insert into outbox (topic, workspace, event_id, body, tx) values "
            "('events', 1, 'older', '{}', pg_current_xact_id()::text::bigint)"
        )
        await emit(core, "newer")
        coming = asyncio.create_task(subscription.next(2))
        for _ in range(20):
            await core.database.read(None).value("select 1")
            await clock.settle()
        assert not coming.done()
        await transaction.commit()
        assert ids(await coming) == ["older", "newer"]
    finally:
        await older.close()
        await core.close()
