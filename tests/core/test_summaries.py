"""Summaries: what each counts and shows, for whom, and by which index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from armillary.api import decode
from armillary.clock import SystemClock, from_micros, to_micros
from armillary.core import Core
from armillary.db.migrate import upgrade
from armillary.db.sqlite import SqliteDatabase
from armillary.db.tables import Tables
from armillary.summaries import repository
from armillary.summaries.schemas import BUCKETS, DashboardCriteria
from armillary.testing import ManualClock
from tests.api import NOBODY, OTHER_PREFIX, Api, add_other_workspace

AFTER = "2026-01-01T11:00:30Z"
NINE = (
    "SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED",
    "CANCELLING",
)  # fmt: skip


@pytest.fixture
def api(client: Any) -> Api:
    return Api(client)


async def task_run(api: Api, run: str | None, number: int, *states: str, **more: Any) -> str:
    """The id of a task run that went through these states."""
    body = {"flow_run_id": run, "task_key": "t", "dynamic_key": str(number), "name": f"t-{number}"}
    made = await api.post("/task_runs/", {**body, **more}, status=201)
    for state in states:
        proposed = {"state": {"type": state}, "force": True}
        await api.post(f"/task_runs/{made['id']}/set_state", proposed, status=201)
    return str(made["id"])


async def flow_run(api: Api, flow: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await api.post("/flow_runs/", {"flow_id": flow, **more}, status=201)
    return found


async def test_task_runs_are_counted_by_flow_run_without_those_that_stand_for_subflows(
    api: Api,
) -> None:
    flow = await api.flow()
    run, empty = await flow_run(api, flow), await flow_run(api, flow)
    await task_run(api, run["id"], 1)
    parent = await task_run(api, run["id"], 2)
    await flow_run(api, flow, parent_task_run_id=parent)
    body = {"flow_run_ids": [run["id"], empty["id"], NOBODY]}
    counted = await api.post("/ui/flow_runs/count-task-runs", body)
    assert counted == {run["id"]: 1, empty["id"]: 0, NOBODY: 0}


async def test_deployments_are_counted_by_flow(api: Api) -> None:
    flow, other = await api.flow(), await api.flow("other")
    for name in ("a", "b"):
        await api.deployment(flow, name)
    body = {"flow_ids": [flow, other, NOBODY]}
    assert await api.post("/ui/flows/count-deployments", body) == {flow: 2, other: 0, NOBODY: 0}


async def test_the_next_run_of_a_flow_is_the_earliest_scheduled_one_of_any_deployment_or_none(
    api: Api,
) -> None:
    flow, idle = await api.flow(), await api.flow("idle")
    first = await api.deployment(flow, "a")
    second = await api.deployment(flow, "b")

    def at(hour: int) -> dict[str, Any]:
        details = {"scheduled_time": f"2026-01-01T{hour}:00:00Z"}
        return {"type": "SCHEDULED", "state_details": details}

    await api.run(first["id"], state=at(15))
    await api.run(second["id"], state=at(14))
    late = await flow_run(api, flow, state=at(10))
    done = await flow_run(api, idle, state=at(10))
    await api.set_state(done["id"], "COMPLETED")
    found = await api.post("/ui/flows/next-runs", {"flow_ids": [flow, idle, NOBODY]})
    assert found == {
        flow: {
            "id": late["id"], "flow_id": flow, "name": late["name"], "state_name": "Scheduled",
            "state_type": "SCHEDULED", "next_scheduled_start_time": "2026-01-01T10:00:00Z",
        },
        idle: None,
        NOBODY: None,
    }  # fmt: skip
    await api.set_state(late["id"], "CANCELLED")
    found = await api.post("/ui/flows/next-runs", {"flow_ids": [flow]})
    assert found[flow]["next_scheduled_start_time"] == "2026-01-01T14:00:00Z"


async def test_a_flow_run_is_a_point_where_it_began_or_should_have(
    api: Api, clock: ManualClock
) -> None:
    flow = await api.flow()
    scheduled = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T11:59:00Z"}}
    waits = await flow_run(api, flow, state=scheduled)
    await clock.advance(10)
    runs = await flow_run(api, flow, state={"type": "RUNNING"})
    await clock.advance(5)
    points = await api.post("/ui/flow_runs/history", {"limit": None})
    assert points == [
        {"id": runs["id"], "state_type": "RUNNING", "timestamp": "2026-01-01T12:00:10Z",
         "duration": 5.0, "lateness": 0.0},
        {"id": waits["id"], "state_type": "SCHEDULED", "timestamp": "2026-01-01T11:59:00Z",
         "duration": 0.0, "lateness": 75.0},
    ]  # fmt: skip
    some = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}, "limit": 1000}
    assert [each["id"] for each in await api.post("/ui/flow_runs/history", some)] == [runs["id"]]
    assert len(await api.post("/ui/flow_runs/history", {"limit": 1, "offset": 1})) == 1


@pytest.mark.parametrize("body", [{"limit": 1001}, {"limit": -1}, {"offset": -1}, {"sort": "x"}])
async def test_more_points_than_a_page_shows_are_refused(api: Api, body: Any) -> None:
    await api.post("/ui/flow_runs/history", body, status=422)


async def test_task_runs_are_counted_by_every_kind_of_state(api: Api) -> None:
    run = await flow_run(api, await api.flow())
    await task_run(api, run["id"], 1)
    await task_run(api, run["id"], 2, "RUNNING", "FAILED")
    nothing = dict.fromkeys(NINE, 0)
    assert await api.post("/ui/task_runs/count") == {**nothing, "PENDING": 1, "FAILED": 1}
    only = {"task_runs": {"state": {"type": {"any_": ["FAILED"]}}}}
    assert await api.post("/ui/task_runs/count", only) == {**nothing, "FAILED": 1}


async def test_a_dashboard_counts_what_ended_in_twenty_parts_of_its_window(
    api: Api, clock: ManualClock
) -> None:
    run = await flow_run(api, await api.flow())
    ends = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
    for number, end in enumerate(ends):
        await task_run(api, run["id"], number, "RUNNING", end)
    await task_run(api, run["id"], 9, "RUNNING")
    await clock.advance(1800)
    await task_run(api, run["id"], 10, "RUNNING", "COMPLETED")
    times = {"after_": AFTER, "before_": "2026-01-01T12:59:10Z"}
    body = {"task_runs": {"start_time": times, "state": {"type": {"any_": ["RUNNING"]}}}}
    counts = await api.post("/ui/task_runs/dashboard/counts", body)
    assert len(counts) == BUCKETS
    assert {place: each for place, each in enumerate(counts) if any(each.values())} == {
        10: {"completed": 2, "failed": 2},
        15: {"completed": 1, "failed": 0},
    }
    until_now = await api.post(
        "/ui/task_runs/dashboard/counts", {"task_runs": {"start_time": {"after_": AFTER}}}
    )
    assert [each["completed"] + each["failed"] for each in until_now][-1] == 1
    body["work_pools"] = {"name": {"any_": ["none"]}}
    counts = await api.post("/ui/task_runs/dashboard/counts", body)
    assert counts == [{"completed": 0, "failed": 0}] * BUCKETS


async def test_a_dashboard_can_be_narrowed_to_a_pool_and_its_queues(api: Api) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool")
    run = await api.run(made["id"])
    await task_run(api, run["id"], 1, "RUNNING", "COMPLETED")
    body = {
        "task_runs": {"start_time": {"after_": AFTER}},
        "work_pools": {"name": {"any_": ["pool"]}},
        "work_queues": {"name": {"any_": ["default"]}},
    }
    counts = await api.post("/ui/task_runs/dashboard/counts", body)
    assert sum(each["completed"] for each in counts) == 1


@pytest.mark.parametrize("body", [{}, {"task_runs": {}}, {"task_runs": {"start_time": {}}}])
async def test_a_dashboard_without_a_beginning_is_refused(api: Api, body: Any) -> None:
    answer = await api.post("/ui/task_runs/dashboard/counts", body, status=422)
    assert answer == {"detail": "task_runs.start_time.after_ is required"}


async def test_a_window_that_ends_before_it_begins_has_nothing_in_it(api: Api) -> None:
    times = {"after_": "2026-01-02T00:00:00Z", "before_": "2026-01-01T00:00:00Z"}
    counts = await api.post("/ui/task_runs/dashboard/counts", {"task_runs": {"start_time": times}})
    assert counts == [{"completed": 0, "failed": 0}] * BUCKETS


async def test_a_task_run_is_shown_with_the_name_of_its_flow_run(api: Api) -> None:
    run = await flow_run(api, await api.flow(), name="nimble-newt")
    inside = await task_run(api, run["id"], 1)
    alone = await task_run(api, None, 2)
    found = await api.get(f"/ui/task_runs/{inside}")
    assert found == {**await api.get(f"/task_runs/{inside}"), "flow_run_name": "nimble-newt"}
    assert (await api.get(f"/ui/task_runs/{alone}"))["flow_run_name"] is None
    assert await api.get(f"/ui/task_runs/{NOBODY}", status=404) == {"detail": "Task not found"}


async def test_nothing_is_told_of_another_workspace(core: Core, api: Api) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    made = await api.deployment()
    run = await api.run(made["id"])
    task = await task_run(api, run["id"], 1)
    flow = made["flow_id"]
    assert await other.post("/ui/flows/count-deployments", {"flow_ids": [flow]}) == {flow: 0}
    assert await other.post("/ui/flows/next-runs", {"flow_ids": [flow]}) == {flow: None}
    counted = await other.post("/ui/flow_runs/count-task-runs", {"flow_run_ids": [run["id"]]})
    assert counted == {run["id"]: 0}
    await other.get(f"/ui/task_runs/{task}", status=404)
    assert set((await other.post("/ui/task_runs/count")).values()) == {0}


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/ui/flow_runs/count-task-runs", "flow_run_ids"),
        ("/ui/flows/count-deployments", "flow_ids"),
        ("/ui/flows/next-runs", "flow_ids"),
    ],
)
async def test_at_most_200_things_are_asked_for_at_once(api: Api, path: str, member: str) -> None:
    assert await api.post(path, {member: []}) == {}
    await api.post(path, {member: [NOBODY] * 201}, status=422)
    await api.post(path, {}, status=422)


async def test_every_summary_is_bounded_by_an_index(fresh_sqlite: str) -> None:
    database = SqliteDatabase(Path(fresh_sqlite.removeprefix("sqlite:///")), SystemClock())
    await database.open()
    await upgrade(database, [Tables(owner="core", after=())])
    reader = database.read(1)

    async def plan(sql: str, *args: object) -> str:
        rows = await reader.all(f"explain query plan {sql}", *args)
        return "\n".join(row[3] for row in rows)

    body = msgspec.json.encode({"task_runs": {"start_time": {"after_": AFTER}}})
    criteria = decode(DashboardCriteria, body)
    window = criteria.window(from_micros(to_micros(SystemClock().now())))
    dashboard = repository.by_time(criteria.selection(1), window)
    plans = {
        "task_run_natural (flow_run_id=?)": await plan(repository._TASK_RUNS, "[]", 1),
        "deployment_name (flow_id=?)": await plan(repository._DEPLOYMENTS, "[]", 1),
        "flow_run_deployment_due (deployment_id=?)": await plan(
            repository._NEXT_OF_DEPLOYMENTS, "[]", 1
        ),
        "flow_run_flow_due (flow_id=?)": await plan(repository._NEXT_OF_THEIR_OWN, "[]", 1),
        "task_run_started (workspace=? AND start_time>? AND start_time<?)": await plan(
            dashboard.sql, *dashboard.args
        ),
    }
    await database.close()
    for index, found in plans.items():
        assert index in found
        assert "SCAN flow" not in found
        assert "SCAN task_run" not in found
        assert "SCAN deployment" not in found
        assert "SCAN t" not in found.replace("SCAN t VIRTUAL", "")
