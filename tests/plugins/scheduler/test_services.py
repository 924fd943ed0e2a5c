"""Every slot of every active schedule gets one run, whatever happens to clock and deployments."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.core import Core
from armillary.services.loop import Done
from armillary.testing import ManualClock
from armillary_plugins.scheduler.config import Config
from armillary_plugins.scheduler.services import ScheduleDeployments, ScheduleRecentDeployments
from tests.api import Api

HOURLY = {"cron": "0 * * * *"}


async def forget_runs(core: Core) -> None:
    async def work(unit: Any) -> None:
        for table in ("flow_run", "flow_run_state", "flow_run_tag"):
            await unit.run(f"delete from {table}")

    await core.database.write(work, workspace=1)


async def test_a_turn_fills_what_is_missing_and_the_next_one_nothing(
    core: Core, api: Api, clock: ManualClock
) -> None:
    flow = await api.flow()
    for number in range(5):
        await api.deployment(flow, f"d{number}", schedules=[{"schedule": HOURLY}])
    await forget_runs(core)
    service = ScheduleDeployments(core, Config(deployments=2))
    assert await service.turn() == Done(found=5, changed=15)
    assert await service.turn() == Done(found=0, changed=0)
    await clock.advance(3600)
    assert await service.turn() == Done(found=5, changed=5)


async def test_runs_that_were_made_while_the_clock_was_ahead_leave_no_gap(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await api.deployment(schedules=[{"schedule": HOURLY}])
    service = ScheduleDeployments(core, Config())
    clock.jump(86_400)
    assert await service.turn() == Done(found=1, changed=3)
    clock.jump(-86_400)
    assert await service.turn() == Done(found=0, changed=0)
    for _ in range(24):
        await clock.advance(3600)
        await service.turn()
    there = [run["expected_start_time"] for run in await api.runs()]
    assert len(there) == len(set(there)) == 27


async def test_paused_and_inactive_ones_are_left_alone(core: Core, api: Api) -> None:
    flow = await api.flow()
    await api.deployment(flow, "paused", paused=True, schedules=[{"schedule": HOURLY}])
    await api.deployment(flow, "off", schedules=[{"schedule": HOURLY, "active": False}])
    for service in (
        ScheduleDeployments(core, Config()),
        ScheduleRecentDeployments(core, Config()),
    ):
        assert await service.turn() == Done(found=0, changed=0)
    assert await api.runs() == []


async def test_the_quick_loop_sees_what_was_changed_a_moment_ago(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await api.deployment(schedules=[{"schedule": HOURLY}])
    await forget_runs(core)
    service = ScheduleRecentDeployments(core, Config())
    await clock.advance(5)
    assert await service.turn() == Done(found=1, changed=3)
    await forget_runs(core)
    await clock.advance(5)
    assert await service.turn() == Done(found=0, changed=0)


async def test_a_broken_schedule_does_not_keep_the_others(core: Core, api: Api) -> None:
    made = await api.deployment(
        schedules=[{"schedule": HOURLY, "slug": "a"}, {"schedule": HOURLY, "slug": "b"}]
    )
    await forget_runs(core)
    await core.database.write(
        lambda unit: unit.run(
            "update deployment_schedule set schedule = '{\"cron\": \"x\"}' where slug = 'a'"
        ),
        workspace=1,
    )
    assert await ScheduleDeployments(core, Config()).turn() == Done(found=1, changed=3)
    assert {run["deployment_id"] for run in await api.runs()} == {made["id"]}


async def test_what_has_run_is_not_made_again(core: Core, api: Api) -> None:
    await api.deployment(schedules=[{"schedule": HOURLY}])
    first = (await api.runs())[0]
    await api.set_state(first["id"], "COMPLETED")
    service = ScheduleDeployments(core, Config())
    await service.turn()
    times = [run["expected_start_time"] for run in await api.runs()]
    assert len(times) == len(set(times)) == 3


steps = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.sampled_from([60, 1800, 3600, 10_000])),
        st.tuples(st.just("turn"), st.sampled_from(["all", "recent"])),
        st.tuples(st.just("edit"), st.sampled_from(["version", "tags"])),
        st.tuples(st.just("pause"), st.booleans()),
        st.tuples(st.just("delete"), st.integers(0, 5)),
        st.tuples(st.just("finish"), st.integers(0, 5)),
        st.tuples(st.just("off"), st.booleans()),
    ),
    max_size=12,
)


async def take_step(api: Api, path: str, verb: str, value: Any, runs: list[dict[str, Any]]) -> None:
    if verb == "edit":
        await api.patch(path, {value: "x" if value == "version" else ["t"]})
    elif verb == "pause":
        await api.post(f"{path}/{'pause' if value else 'resume'}_deployment")
    elif verb == "off":
        [schedule] = await api.get(f"{path}/schedules")
        await api.patch(f"{path}/schedules/{schedule['id']}", {"active": not value})
    elif value < len(runs):
        run = runs[value]["id"]
        if verb == "delete":
            await api.delete(f"/flow_runs/{run}")
        else:
            await api.set_state(run, "COMPLETED")


async def live(core: Core, api: Api, clock: ManualClock, story: list[tuple[str, Any]]) -> None:
    name = f"d{core.ids.uuid4()}"
    made = await api.deployment(await api.flow(name), name, schedules=[{"schedule": HOURLY}])
    path = f"/deployments/{made['id']}"
    services = {
        "all": ScheduleDeployments(core, Config()),
        "recent": ScheduleRecentDeployments(core, Config()),
    }
    mine = {"deployments": {"id": {"any_": [made["id"]]}}}
    runs = await api.runs(**mine)
    known = {run["id"] for run in runs}
    now = ""
    for verb, value in [*story, ("turn", "all")]:
        if verb == "advance":
            await clock.advance(value)
        elif verb == "turn":
            await services[value].turn()
        else:
            await take_step(api, path, verb, value, runs)
        now = clock.now().isoformat()[:19]
        runs = await api.runs(**mine)
        times = [run["expected_start_time"] for run in runs]
        assert len(times) == len(set(times)), "one run for each slot"
        assert all(time[14:19] == "00:00" for time in times), "no run between slots"
        new = [run for run in runs if run["id"] not in known]
        assert all(run["expected_start_time"] >= now for run in new), "none made up in the past"
        known |= {run["id"] for run in new}
    deployment = await api.get(path)
    if not deployment["paused"] and deployment["schedules"][0]["active"]:
        assert sum(run["expected_start_time"] > now for run in runs) >= 2
    await api.delete(path)


async def test_any_story_leaves_one_run_for_each_slot(
    core: Core, api: Api, clock: ManualClock
) -> None:
    stories: list[list[tuple[str, Any]]] = []

    @settings(max_examples=20, deadline=None, database=None, derandomize=True)
    @given(steps)
    def collect(story: list[tuple[str, Any]]) -> None:
        stories.append(story)

    await asyncio.get_running_loop().run_in_executor(None, collect)
    for story in stories:
        await live(core, api, clock, story)
