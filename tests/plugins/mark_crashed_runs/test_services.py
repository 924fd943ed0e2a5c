"""Runs of agents that are gone are ended, with what is known of them; others are left alone."""

from typing import Any

import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.services.loop import Done
from armillary.testing import ManualClock
from armillary_plugins.mark_crashed_runs.config import Config
from armillary_plugins.mark_crashed_runs.services import MarkCrashedRuns
from tests.api import Api

FIRST = "00000000-0000-4000-8000-0000000000a1"
SECOND = "00000000-0000-4000-8000-0000000000a2"
CLAIM = "00000000-0000-4000-8000-0000000000c1"
Json = Any


class Agents:
    """Says what agents say."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def beat(self, session: str = FIRST, *, status: int = 200, **more: Json) -> Json:
        body = {"name": "a", "session": session, "host": "h", "pid": 7, **more}
        return await self.api.post("/agents/heartbeat", body, status=status)

    async def holding(self, state: str | None = "RUNNING", claim: str = CLAIM) -> str:
        """A run that an agent has claimed, in a state."""
        run: str = (await self.api.run((await self.api.deployment())["id"]))["id"]
        held = {"id": run, "claim": CLAIM}
        await self.beat(claiming=[held])
        details = {"transition_id": claim}
        await self.api.set_state(run, "PENDING", force=False, state_details=details)
        if state is not None:
            await self.api.set_state(run, state)
        await self.beat(runs=[{**held, "process": 99}])
        return run


@pytest.fixture
def agents(api: Api) -> Agents:
    return Agents(api)


@pytest.fixture
def service(core: Core) -> MarkCrashedRuns:
    return MarkCrashedRuns(core, Config())


async def turns(service: MarkCrashedRuns, clock: ManualClock, seconds: float) -> int:
    """Let it take its turns for a while; how many runs it ended."""
    ended = 0
    for _ in range(int(seconds / 10)):
        done = await service.turn()
        ended += done.changed if done else 0
        await clock.advance(10)
    return ended


async def test_a_run_whose_agent_was_killed_is_crashed_within_ninety_seconds(
    api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    await turns(service, clock, 100)
    run = await agents.holding()
    assert await turns(service, clock, 40) == 0
    assert await turns(service, clock, 40) == 1
    found = await api.get(f"/flow_runs/{run}")
    assert found["state_type"] == "CRASHED"
    message = found["state"]["message"]
    assert message.startswith("The agent a on h was last heard of at 2026-01-01 12:01:40 UTC.")
    assert message.endswith("The process of the run was 99.")
    assert await service.turn() == Done()


@pytest.mark.parametrize(
    "change",
    [
        (None, "CRASHED"), ("CANCELLING", "CANCELLED"), ("COMPLETED", "COMPLETED"),
        ("PAUSED", "PAUSED"), ("SCHEDULED", "SCHEDULED"),
    ],
)  # fmt: skip
async def test_only_what_was_under_way_is_ended(
    api: Api,
    agents: Agents,
    service: MarkCrashedRuns,
    clock: ManualClock,
    change: tuple[str | None, str],
) -> None:
    state, becomes = change
    run = await agents.holding(state)
    await turns(service, clock, 120)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == becomes


async def test_a_run_that_another_claimed_is_left_to_it(
    api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    run = await agents.holding(None, claim=FIRST)
    await turns(service, clock, 120)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "PENDING"


async def test_a_run_that_a_worker_took_first_is_left_to_it(
    api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    run = await agents.holding("RUNNING", claim=FIRST)
    await turns(service, clock, 120)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "RUNNING"


async def test_of_two_agents_that_want_a_run_the_one_that_claimed_it_holds_it(
    api: Api, agents: Agents, service: MarkCrashedRuns
) -> None:
    run: str = (await api.run((await api.deployment())["id"]))["id"]
    held = {"id": run, "claim": CLAIM}
    other = {"id": run, "claim": SECOND}
    await agents.beat(claiming=[held])
    await agents.beat(SECOND, name="b", claiming=[other])
    details = {"transition_id": CLAIM}
    await api.set_state(run, "PENDING", force=False, state_details=details)
    assert (await agents.beat(runs=[held]))["lost"] == []
    assert (await agents.beat(SECOND, name="b", runs=[other]))["lost"] == [run]
    await agents.beat(SECOND, name="b")
    await service.turn()
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "PENDING"


async def test_a_run_that_its_agent_had_lost_and_sets_running_is_ended_again(
    api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    run = await agents.holding(None)
    await turns(service, clock, 120)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "CRASHED"
    assert (await agents.beat(runs=[{"id": run, "claim": CLAIM}]))["lost"] == [run]
    await api.set_state(run, "RUNNING", force=False)
    await agents.beat()
    assert await service.turn() == Done(found=1, changed=1)
    found = await api.get(f"/flow_runs/{run}")
    assert found["state_type"] == "CRASHED"
    assert "does not look after this run any more" in found["state"]["message"]
    await agents.beat()
    assert await service.turn() == Done()


async def test_a_run_that_waits_stays_its_agents_until_it_is_claimed(
    api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    run: str = (await api.run((await api.deployment())["id"]))["id"]
    held = {"id": run, "claim": CLAIM}
    await agents.beat(claiming=[held])
    await turns(service, clock, 120)
    details = {"transition_id": CLAIM}
    await api.set_state(run, "PENDING", force=False, state_details=details)
    assert (await agents.beat(runs=[held]))["lost"] == []
    assert await turns(service, clock, 120) == 1


async def test_what_an_agent_held_is_forgotten_a_day_later_when_the_next_one_is_gone(
    core: Core, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    deployment = (await agents.api.deployment())["id"]
    ended, later = [(await agents.api.run(deployment))["id"] for _ in range(2)]
    await agents.beat(claiming=[{"id": ended, "claim": CLAIM}])
    await agents.api.set_state(ended, "COMPLETED")
    await clock.advance(90_000)
    await agents.beat(SECOND, name="b", claiming=[{"id": later, "claim": FIRST}])
    details = {"transition_id": FIRST}
    await agents.api.set_state(later, "PENDING", force=False, state_details=details)
    assert await turns(service, clock, 120) == 1
    reader = core.database.read(None)
    assert await reader.value("select flow_run_id from agent_run") == later
    assert await reader.value("select name from agent") == "b"


async def test_an_agent_that_is_heard_of_keeps_its_runs(
    api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    run = await agents.holding()
    for _ in range(20):
        await agents.beat(runs=[{"id": run, "claim": CLAIM, "process": 99}])
        await turns(service, clock, 10)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "RUNNING"


async def test_no_agent_is_silent_while_nobody_could_hear_it(
    agents: Agents, service: MarkCrashedRuns, core: Core, clock: ManualClock
) -> None:
    run = await agents.holding()
    await service.turn()
    await clock.advance(3600)
    assert (await service.turn()) == Done(), "the server slept"
    fresh = MarkCrashedRuns(core, Config())
    assert (await fresh.turn()) == Done(), "the server was started anew"
    await agents.beat(runs=[{"id": run, "claim": CLAIM, "process": 99}])
    assert await turns(fresh, clock, 30) == 0


async def test_a_clock_put_back_makes_nobody_live_longer(
    core: Core, api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    run = await agents.holding()
    ahead = clock.micros() + 3_600_000_000

    async def later(unit: Unit) -> None:
        await unit.run("update agent set seen = ?", ahead)

    await core.database.write(later, workspace=None)
    await service.open()
    await turns(service, clock, 120)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "CRASHED"


async def test_a_clock_put_back_under_way_makes_nobody_live_longer(
    api: Api, agents: Agents, service: MarkCrashedRuns, clock: ManualClock
) -> None:
    run = await agents.holding()
    await turns(service, clock, 20)
    clock.jump(-3600)
    await turns(service, clock, 30)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "RUNNING"
    await turns(service, clock, 60)
    assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "CRASHED"


async def test_an_agent_started_anew_gives_up_what_it_held_at_once(
    api: Api, agents: Agents, service: MarkCrashedRuns
) -> None:
    run = await agents.holding()
    taken = await agents.beat(SECOND, status=409)
    assert "already running (process 7 on h)" in taken["detail"]
    assert taken["holder"]["session"] == FIRST
    await agents.beat(SECOND, replaces=FIRST)
    assert await service.turn() == Done(found=1, changed=1)
    found = await api.get(f"/flow_runs/{run}")
    assert "was started anew" in found["state"]["message"]


async def test_an_agent_is_told_what_became_of_its_runs(api: Api, agents: Agents) -> None:
    deployment = (await api.deployment())["id"]
    going, cancelled, ended = [(await api.run(deployment))["id"] for _ in range(3)]
    held = [{"id": run, "claim": CLAIM} for run in (going, cancelled, ended)]
    await agents.beat(claiming=held)
    await api.set_state(cancelled, "RUNNING")
    await api.set_state(cancelled, "CANCELLING")
    await api.set_state(ended, "FAILED")
    heard = await agents.beat(runs=held)
    assert (heard["cancel"], heard["ended"], heard["lost"]) == ([cancelled], [ended], [])
    assert (await agents.beat(runs=held[:1]))["lost"] == []
    assert (await agents.beat(runs=held))["lost"] == [cancelled, ended], "they were given up"


async def test_a_name_is_free_once_its_agent_left_or_was_silent(
    agents: Agents, clock: ManualClock, api: Api
) -> None:
    await agents.beat()
    await agents.beat(SECOND, status=409)
    await agents.beat(leaving=True)
    await agents.beat(SECOND)
    await clock.advance(60)
    await agents.beat()
    (agent,) = await api.get("/agents/")
    assert (agent["name"], agent["pid"], agent["alive"]) == ("a", 7, True)
