"""A consumer handles what comes, tries again what fails, and leaves out what never succeeds."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from armillary.broker import Message
from armillary.core import Core
from armillary.db.unit import Emitted, Unit
from armillary.errors import Unavailable
from armillary.services.consumer import Consumer
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear, ManualClock

A_NIGHT = 1100
"""Attempts, of which each once doubled the wait: more than a float can."""


class Reads(Consumer):
    name = "reads"
    topic = "events"
    group = "reads"

    def __init__(self, core: Core, complain: Callable[[Sequence[str]], None]) -> None:
        super().__init__(core)
        self.complain = complain
        self.read: list[str] = []

    async def handle(self, messages: Sequence[Message]) -> None:
        ids = [message.id for message in messages]
        self.complain(ids)
        self.read.extend(ids)


@asynccontextmanager
async def running(consumer: Consumer) -> AsyncIterator[Ear]:
    supervisor = Supervisor([consumer])
    ear = Ear(consumer)
    await supervisor.start()
    yield ear
    await supervisor.stop()


async def emit(core: Core, *ids: str) -> None:
    async def work(unit: Unit) -> None:
        for each in ids:
            unit.emit(Emitted("events", each, "{}"))

    await core.database.write(work, workspace=1)


async def test_messages_are_handled_in_order(core: Core) -> None:
    consumer = Reads(core, lambda _: None)
    async with running(consumer) as ear:
        await emit(core, "a", "b", "c")
        await ear.hear("handled")
    assert consumer.read == ["a", "b", "c"]
    value = core.metrics.value("armillary_consumer_handled_total", consumer="reads")
    assert value == 3


async def test_how_many_messages_wait_and_what_went_wrong_is_known(
    core: Core, clock: ManualClock
) -> None:
    def complain(_: Sequence[str]) -> None:
        raise ValueError("out of sorts")

    consumer = Reads(core, complain)
    async with running(consumer) as ear:
        await emit(core, "a", "b")
        await ear.hear("failed")
        assert consumer.subscription.waiting == (2, False)
        assert consumer.record.error == "ValueError: out of sorts"
        await clock.settle()
        consumer.complain = lambda _: None
        await clock.settle()
        await clock.advance(1)
        await ear.hear("handled")
        assert not consumer.record.fails


async def test_a_batch_that_fails_comes_again_later(core: Core, clock: ManualClock) -> None:
    attempts: list[Sequence[str]] = []

    def once(ids: Sequence[str]) -> None:
        attempts.append(ids)
        if len(attempts) == 1:
            raise ValueError("out of sorts")

    consumer = Reads(core, once)
    async with running(consumer) as ear:
        await emit(core, "a", "b")
        await ear.hear("failed")
        await clock.settle()
        await clock.advance(1)
        await ear.hear("handled")
    assert attempts == [["a", "b"], ["a", "b"]]


async def test_one_message_that_never_succeeds_does_not_hold_the_others(
    core: Core, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def never_b(ids: Sequence[str]) -> None:
        if "b" in ids:
            raise ValueError("out of sorts")

    consumer = Reads(core, never_b)
    async with running(consumer) as ear:
        await emit(core, "a", "b", "c")
        for _ in range(10):
            await ear.hear("failed")
            await clock.settle()
            await clock.advance(40)
        while consumer.read != ["a", "c"]:
            await ear.hear("handled")
    assert "message b is left out" in caplog.text
    assert core.metrics.value("armillary_consumer_left_out_total", consumer="reads") == 1


async def test_however_long_the_database_is_away_nothing_is_left_out(
    core: Core, clock: ManualClock
) -> None:
    attempts = 0

    def away(_: Sequence[str]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= A_NIGHT:
            raise Unavailable("away")

    consumer = Reads(core, away)
    async with running(consumer) as ear:
        await emit(core, "a")
        for _ in range(A_NIGHT):
            await ear.hear("failed")
            await clock.settle()
            await clock.advance(1)
        await ear.hear("handled")
    assert consumer.read == ["a"]
