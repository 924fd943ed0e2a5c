"""The consumer that stores events: nothing lost over a restart, nothing twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from armillary.core import Core
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear, eventually
from armillary_plugins.event_persister.consumers import StoreEvents
from armillary_plugins.events.repository.finding import count_events, filter_events
from armillary_plugins.events.schemas import EventFilter
from armillary_plugins.events.window import Window
from tests.plugins.events.samples import body_of, event

ALL = Window(0, 2**53)
IN_ORDER = EventFilter(order="ASC")


@asynccontextmanager
async def running(core: Core) -> AsyncIterator[Ear]:
    consumer = StoreEvents(core)
    ear = Ear(consumer)
    supervisor = Supervisor([consumer])
    await supervisor.start()
    yield ear
    await supervisor.stop()


async def emit(core: Core, *numbers: int, workspace: int = 1) -> None:
    async def work(unit) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a unit
        for n in numbers:
            unit.emit(event(n).emitted())

    await core.database.write(work, workspace=workspace)


async def stored(core: Core, workspace: int = 1) -> list[str]:
    return await filter_events(core.database.read(workspace), IN_ORDER, ALL, limit=200, offset=0)


async def test_what_is_committed_is_stored_in_its_workspace(core: Core) -> None:
    async with running(core) as ear:
        await emit(core, 1, 2)
        await ear.hear("handled")
        await emit(core, 3, workspace=2)
        await ear.hear("handled")
    assert await stored(core) == [body_of(event(1)), body_of(event(2))]
    assert await stored(core, workspace=2) == [body_of(event(3))]


async def test_what_was_committed_before_the_start_is_stored(core: Core) -> None:
    await emit(core, *range(450))
    async with running(core) as ear:
        for _ in range(3):
            await ear.hear("handled")
    assert await count_events(core.database.read(1), IN_ORDER, ALL) == 450


async def test_what_comes_again_is_left_out(core: Core) -> None:
    consumer = StoreEvents(core)
    await emit(core, 1, 2)
    consumer.subscription = await core.broker.subscribe("events", None)
    await emit(core, 3)
    messages = await consumer.subscription.next(10)
    await consumer.handle(messages)
    await consumer.handle(messages)
    assert await stored(core) == [body_of(event(3))]
    assert core.metrics.value("armillary_events_stored") == 1


async def test_a_restart_goes_on_where_it_was(core: Core) -> None:
    async with running(core) as ear:
        await emit(core, 1)
        await ear.hear("handled")
    await emit(core, 2)
    async with running(core) as ear:
        messages = await ear.hear("handled")
        assert [message.id for message in messages] == [event(2).id]  # type: ignore[attr-defined]
    await eventually(lambda: core.metrics.value("armillary_events_stored") == 2)
