"""A deployment's schedules over HTTP: added, changed by slug or as a whole, deleted."""

from typing import Any

import pytest

from armillary.testing import ManualClock
from tests.api import NOBODY, Api

HOURLY = {"cron": "0 * * * *", "timezone": "UTC", "day_or": True}
DAILY = {"cron": "0 0 * * *", "timezone": "UTC", "day_or": True}


async def scheduled(api: Api) -> list[str]:
    return [run["expected_start_time"][5:16] for run in await api.runs()]


def by_slug(deployment: dict[str, Any]) -> dict[str, dict]:
    return {each["slug"]: each for each in deployment["schedules"]}


async def test_added_schedules_are_answered_and_scheduled_at_once(api: Api) -> None:
    made = await api.deployment(schedules=[{"schedule": DAILY}])
    path = f"/deployments/{made['id']}/schedules"
    new = [{"schedule": HOURLY, "slug": "h", "parameters": {"a": 1}, "max_scheduled_runs": 5}]
    before = {run["id"] for run in await api.runs()}
    [added] = await api.post(path, new, status=201)
    assert (added["schedule"], added["slug"], added["max_scheduled_runs"]) == (HOURLY, "h", 5)
    assert (added["active"], added["parameters"]) == (True, {"a": 1})
    assert len(await api.get(path)) == 2
    assert len(await scheduled(api)) == 6
    assert before <= {run["id"] for run in await api.runs()}
    assert (await api.get(f"/deployments/{made['id']}"))["updated"] == made["updated"]
    await api.post(path, [{"schedule": DAILY, "slug": "h"}], status=409)
    await api.post(path, [{"schedule": DAILY, "max_scheduled_runs": 51}], status=422)
    assert len(await api.get(path)) == 2


async def test_a_changed_schedule_keeps_what_is_not_given(api: Api) -> None:
    made = await api.deployment(
        schedules=[{"schedule": DAILY, "slug": "s", "parameters": {"a": 1}}]
    )
    path = f"/deployments/{made['id']}/schedules"
    [schedule] = made["schedules"]
    await api.patch(f"{path}/{schedule['id']}", {"schedule": HOURLY})
    [changed] = await api.get(path)
    assert (changed["slug"], changed["parameters"], changed["schedule"]) == ("s", {"a": 1}, HOURLY)
    assert await scheduled(api) == ["01-01T12:00", "01-01T13:00", "01-01T14:00"]
    await api.patch(f"{path}/{schedule['id']}", {"active": False})
    assert await scheduled(api) == ["01-01T12:00"]
    await api.patch(f"{path}/{NOBODY}", {"active": False}, status=404)


async def test_a_schedule_in_another_zone_has_no_second_run_for_a_slot(api: Api) -> None:
    schedule = {"cron": "0 * * * *", "timezone": "UTC"}
    path = f"/deployments/{(await api.deployment(schedules=[{'schedule': schedule}]))['id']}"
    claimed = (await api.runs())[0]
    await api.set_state(claimed["id"], "PENDING")
    [made] = await api.get(f"{path}/schedules")
    await api.patch(
        f"{path}/schedules/{made['id']}", {"schedule": {**schedule, "timezone": "Europe/Paris"}}
    )
    times = [run["expected_start_time"] for run in await api.runs()]
    assert len(times) == len(set(times)) == 3


async def test_another_deployments_schedule_cannot_be_touched(api: Api) -> None:
    flow = await api.flow()
    one = await api.deployment(flow, "one", schedules=[{"schedule": DAILY}])
    two = await api.deployment(flow, "two")
    path = f"/deployments/{two['id']}/schedules/{one['schedules'][0]['id']}"
    await api.patch(path, {"active": False}, status=404)
    await api.delete(path, status=404)
    assert (await api.get(f"/deployments/{one['id']}"))["schedules"] == one["schedules"]


async def test_a_deleted_schedule_takes_its_late_runs_with_it(api: Api, clock: ManualClock) -> None:
    made = await api.deployment(
        schedules=[{"schedule": HOURLY, "slug": "h"}, {"schedule": DAILY, "slug": "d"}]
    )
    await clock.advance(5400)
    path = f"/deployments/{made['id']}/schedules/{by_slug(made)['h']['id']}"
    await api.delete(path)
    assert await scheduled(api) == ["01-02T00:00", "01-03T00:00", "01-04T00:00"]
    await api.delete(path, status=404)


async def test_runs_say_which_schedule_made_them(api: Api) -> None:
    made = await api.deployment(
        tags=["t"], parameters={"a": 1, "b": 1},
        schedules=[
            {"schedule": DAILY, "slug": "mine", "parameters": {"b": 2}},
            {"schedule": {"interval": 86400, "anchor_date": "2026-01-01T06:00:00Z"}},
        ],
    )  # fmt: skip
    runs = await api.runs()
    assert [run["parameters"]["b"] for run in runs] == [2, 1, 2, 1, 2, 1]
    assert {run["created_by"]["display_value"] for run in runs} == {"mine", "IntervalSchedule"}
    first = runs[0]
    assert first["created_by"]["type"] == "SCHEDULE"
    assert first["created_by"]["id"] == by_slug(made)["mine"]["id"]
    assert (first["tags"], first["auto_scheduled"]) == (["auto-scheduled", "t"], True)
    assert first["state"]["message"] == "Flow run scheduled"
    assert first["labels"]["prefect.deployment.id"] == made["id"]
    assert first["expected_start_time"] == first["next_scheduled_start_time"]


async def patched(api: Api, path: str, *schedules: dict) -> dict[str, dict]:
    await api.patch(path, {"schedules": list(schedules)})
    return by_slug(await api.get(path))


async def test_with_slugs_everywhere_a_patch_is_about_the_named_ones(api: Api) -> None:
    made = await api.deployment(
        schedules=[{"schedule": DAILY, "slug": "a"}, {"schedule": DAILY, "slug": "b"}]
    )
    path, was = f"/deployments/{made['id']}", by_slug(made)
    now = await patched(api, path, {"slug": "a", "schedule": HOURLY})
    assert (now["a"]["id"], now["a"]["schedule"]) == (was["a"]["id"], HOURLY)
    assert now["b"] == was["b"]
    assert (await patched(api, path)).keys() == {"a", "b"}
    now = await patched(api, path, {"slug": "c", "schedule": DAILY})
    assert now.keys() == {"a", "b", "c"}
    for wrong in (
        [{"slug": "a"}, {"schedule": DAILY}],
        [{"slug": "new"}],
        [{"slug": "x", "replaces": "a"}, {"slug": "y", "replaces": "a"}],
        [{"slug": "b", "replaces": "a"}],
    ):
        await api.patch(path, {"schedules": wrong}, status=422)
    assert by_slug(await api.get(path)).keys() == {"a", "b", "c"}


async def test_replaces_renames_and_two_may_swap(api: Api) -> None:
    made = await api.deployment(
        schedules=[{"schedule": DAILY, "slug": "a"}, {"schedule": HOURLY, "slug": "b"}]
    )
    path, was = f"/deployments/{made['id']}", by_slug(made)
    now = await patched(api, path, {"slug": "c", "replaces": "a"})
    assert {slug: each["id"] for slug, each in now.items()} == {
        "c": was["a"]["id"], "b": was["b"]["id"],
    }  # fmt: skip
    now = await patched(api, path, {"slug": "b", "replaces": "c"}, {"slug": "c", "replaces": "b"})
    assert {slug: each["id"] for slug, each in now.items()} == {
        "b": was["a"]["id"], "c": was["b"]["id"],
    }  # fmt: skip
    now = await patched(api, path, {"slug": "d", "replaces": "nobody", "schedule": DAILY})
    assert now.keys() == {"b", "c", "d"}


async def test_without_slugs_a_patch_replaces_them_all(api: Api) -> None:
    made = await api.deployment(schedules=[{"schedule": DAILY, "slug": "a"}, {"schedule": HOURLY}])
    path = f"/deployments/{made['id']}"
    now = await patched(api, path, {"schedule": DAILY, "slug": "n"}, {"active": False})
    assert now.keys() == {"n"}
    assert now["n"]["id"] != by_slug(made)["a"]["id"]
    await api.patch(path, {"schedules": None})
    assert by_slug(await api.get(path)) == now
    other = await api.deployment(await api.flow("f2"))
    path = f"/deployments/{other['id']}"
    assert (await patched(api, path, {"schedule": DAILY})).keys() == {None}
    assert await patched(api, path) == {}


@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        ({"interval": 86400, "anchor_date": "2026-01-01T00:00:00Z"}, 3),
        ({"cron": "* * * * *"}, 61), ({"interval": 1}, 100),
        ({"rrule": "FREQ=DAILY;UNTIL=20260102T235959Z", "timezone": "UTC"}, 1),
        ({"rrule": "FREQ=YEARLY", "timezone": "UTC"}, 0),
    ],
)  # fmt: skip
async def test_the_horizon_depends_on_the_schedule(api: Api, schedule: dict, count: int) -> None:
    await api.deployment(schedules=[{"schedule": schedule}])
    assert abs(len(await api.runs(limit=200)) - count) <= (schedule.get("interval") == 1)


async def test_scheduling_by_hand_works_even_if_paused(api: Api) -> None:
    made = await api.deployment(schedules=[{"schedule": DAILY}], paused=True)
    assert await api.runs() == []
    path = f"/deployments/{made['id']}/schedule"
    body = {"start_time": "2026-03-01 00:00:00+00:00", "end_time": "2026-03-02T12:00:00Z"}
    assert await api.post(path, body) is None
    assert await scheduled(api) == ["03-01T00:00", "03-02T00:00"]
    await api.post(path, body)
    assert len(await api.runs()) == 2
    await api.post(path, {"min_runs": 5, "max_runs": 5})
    assert len(await api.runs()) == 7
    for wrong in ({"max_runs": 10**9}, {"min_time": -1}, {"min_time": 1e300}):
        await api.post(path, wrong, status=422)


async def test_wall_clock_hours_survive_the_end_of_daylight_saving(
    api: Api, clock: ManualClock
) -> None:
    await clock.advance(300 * 86400)
    zone = {"timezone": "America/New_York"}
    anchor = "2026-10-20T09:00:00-04:00"
    await api.deployment(schedules=[{"schedule": {"cron": "0 9 * * *", **zone}}])
    await api.deployment(
        await api.flow("two"),
        schedules=[{"schedule": {"interval": 86400, "anchor_date": anchor, **zone}}],
    )
    times = await scheduled(api)
    assert times == sorted(2 * ["10-28T13:00", "10-29T13:00", "10-30T13:00"]), (
        "still daylight saving"
    )
    await clock.advance(4 * 86400)
    for deployment in await api.post("/deployments/filter"):
        await api.post(f"/deployments/{deployment['id']}/schedule")
    november = [time for time in await scheduled(api) if time.startswith("11")]
    assert november == sorted(2 * ["11-01T14:00", "11-02T14:00", "11-03T14:00"])
