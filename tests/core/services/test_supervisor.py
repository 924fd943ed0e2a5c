"""Services start together, stop in reverse, and one that fails is named."""

import asyncio

import pytest

from armillary.core import Core
from armillary.services.service import Service
from armillary.services.supervisor import ServiceFailed, Supervisor, supervisor_of


class Told(Service):
    name = "told"

    def __init__(self, core: Core, name: str, story: list[str]) -> None:
        super().__init__(core)
        self.called = name
        self.story = story

    async def open(self) -> None:
        self.story.append(f"open {self.called}")

    async def run(self) -> None:
        self.story.append(f"run {self.called}")
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.story.append(f"close {self.called}")


class Broken(Told):
    name = "broken"

    async def run(self) -> None:
        raise ValueError("out of sorts")


class Shut(Told):
    async def open(self) -> None:
        raise ValueError("cannot open")


async def test_all_open_before_any_runs_and_the_last_closes_first(core: Core) -> None:
    story: list[str] = []
    supervisor = Supervisor([Told(core, "a", story), Told(core, "b", story)])
    await supervisor.start()
    await asyncio.sleep(0)
    await supervisor.stop()
    assert story == ["open a", "open b", "run a", "run b", "close b", "close a"]


async def test_who_looks_after_a_cores_services_can_be_asked_while_they_run(core: Core) -> None:
    assert supervisor_of(core) is None
    supervisor = Supervisor([Told(core, "a", [])])
    await supervisor.start()
    assert supervisor_of(core) is supervisor
    assert supervisor.since == core.clock.micros()
    await supervisor.stop()
    assert supervisor_of(core) is None


async def test_a_service_that_fails_is_named_with_its_reason(core: Core) -> None:
    supervisor = Supervisor([Told(core, "a", []), Broken(core, "b", [])])
    await supervisor.start()
    failure = await supervisor.failure
    await supervisor.stop()
    assert isinstance(failure, ServiceFailed)
    assert str(failure) == "The service broken failed: out of sorts."
    assert isinstance(failure.__cause__, ValueError)


async def test_what_opened_is_closed_when_another_does_not_open(core: Core) -> None:
    story: list[str] = []
    supervisor = Supervisor([Told(core, "a", story), Shut(core, "b", story)])
    with pytest.raises(ValueError, match="cannot open"):
        await supervisor.start()
    assert story == ["open a", "close b", "close a"]


async def test_stopping_twice_does_no_harm(core: Core) -> None:
    story: list[str] = []
    supervisor = Supervisor([Told(core, "a", story)])
    await supervisor.start()
    await supervisor.stop()
    await supervisor.stop()
    assert story.count("close a") == 1
