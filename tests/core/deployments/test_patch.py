"""Changing a deployment, pausing it, deleting it."""

import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from tests.api import NOBODY, Api

HOURLY = {"cron": "0 * * * *"}
DAILY = {"interval": 86400, "anchor_date": "2026-01-01T00:00:00Z"}


async def test_only_what_is_given_changes(api: Api, clock: ManualClock) -> None:
    await api.pool()
    made = await api.deployment(
        work_pool_name="pool", parameters={"a": 1}, tags=["x"], description="d",
        job_variables={"cpu": 1}, schedules=[{"schedule": DAILY}], paused=True,
    )  # fmt: skip
    await clock.advance(1)
    path = f"/deployments/{made['id']}"
    await api.patch(path, {"version": "2", "unknown": 1, "tags": None, "paused": None})
    changed = await api.get(path)
    assert {name for name in made if made[name] != changed[name]} == {"version", "updated"}
    await api.patch(path, {"description": None, "parameters": {}, "job_variables": {}})
    changed = await api.get(path)
    assert (changed["description"], changed["parameters"], changed["job_variables"]) == (
        None, {}, {},
    )  # fmt: skip


async def test_a_pool_that_is_null_takes_the_deployment_off_its_queue(api: Api) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool", work_queue_name="q")
    path = f"/deployments/{made['id']}"
    await api.patch(path, {"work_pool_name": None})
    changed = await api.get(path)
    assert (changed["work_pool_name"], changed["work_queue_id"]) == (None, None)
    await api.patch(path, {"work_pool_name": "pool"})
    assert (await api.get(path))["work_queue_name"] == "default"
    await api.patch(path, {"work_pool_name": "nobody"}, status=404)


async def test_an_unknown_deployment_is_404(api: Api) -> None:
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/pause_deployment"),
        ("POST", "/resume_deployment"), ("POST", "/create_flow_run"), ("POST", "/schedule"),
        ("GET", "/schedules"), ("PATCH", f"/schedules/{NOBODY}"),
        ("DELETE", f"/schedules/{NOBODY}"),
    ):  # fmt: skip
        answer = await api.call(method, f"/deployments/{NOBODY}{path}", {}, status=404)
        assert "not found" in answer["detail"], path
    for path in ("schedules", "create_flow_run/bulk"):
        answer = await api.call("POST", f"/deployments/{NOBODY}/{path}", [], status=404)
    await api.get("/deployments/name/a/b", status=404)


async def test_any_patch_makes_the_runs_ahead_anew(api: Api, clock: ManualClock) -> None:
    made = await api.deployment(schedules=[{"schedule": HOURLY}], parameters={"a": 1})
    before = await api.runs()
    await clock.advance(7200 + 60)
    await api.patch(f"/deployments/{made['id']}", {"parameters": {"a": 2}})
    after = await api.runs()
    late, ahead = after[:3], after[3:]
    assert [run["id"] for run in late] == [run["id"] for run in before]
    assert [run["parameters"] for run in late] == [{"a": 1}] * 3
    assert ahead == [] or all(run["parameters"] == {"a": 2} for run in ahead)
    times = [run["expected_start_time"] for run in after]
    assert len(times) == len(set(times))


async def test_runs_ahead_survive_that_wait_for_a_slot_or_have_run(core: Core, api: Api) -> None:
    made = await api.deployment(schedules=[{"schedule": HOURLY}])
    runs = await api.runs()
    at = runs[0]["next_scheduled_start_time"]
    details = {"scheduled_time": at}
    await api.set_state(
        runs[0]["id"], "SCHEDULED", name="AwaitingConcurrencySlot", state_details=details
    )
    await api.set_state(runs[1]["id"], "RUNNING")
    await api.set_state(runs[1]["id"], "SCHEDULED", name="AwaitingRetry", state_details=details)
    manual = await api.run(made["id"], state={"type": "SCHEDULED", "state_details": details})
    await api.post(f"/deployments/{made['id']}/pause_deployment")
    left = {run["id"] for run in await api.runs()}
    assert left == {runs[0]["id"], runs[1]["id"], manual["id"]}
    await api.delete(f"/deployments/{made['id']}")
    assert {run["id"] for run in await api.runs()} == {runs[0]["id"], runs[1]["id"]}
    reader = core.database.read(None)
    for table in ("flow_run_state", "flow_run_tag"):
        orphans = f"select count(*) from {table} where flow_run_id not in (select id from flow_run)"
        assert await reader.value(orphans) == 0


async def test_pausing_drops_late_runs_too_and_resuming_schedules_at_once(
    api: Api, clock: ManualClock
) -> None:
    made = await api.deployment(schedules=[{"schedule": HOURLY}])
    path = f"/deployments/{made['id']}"
    await clock.advance(5400)
    assert await api.post(f"{path}/pause_deployment") is None
    assert await api.runs() == []
    assert (await api.get(path))["paused"] is True
    await api.run(made["id"])
    await api.post(f"{path}/resume_deployment")
    assert (await api.get(path))["paused"] is False
    auto = [run for run in await api.runs() if run["auto_scheduled"]]
    assert [run["expected_start_time"][11:16] for run in auto] == ["14:00", "15:00", "16:00"]


async def test_pausing_by_patch_keeps_what_is_late(api: Api, clock: ManualClock) -> None:
    made = await api.deployment(schedules=[{"schedule": HOURLY}])
    await clock.advance(3700)
    await api.patch(f"/deployments/{made['id']}", {"paused": True})
    assert [run["expected_start_time"][11:16] for run in await api.runs()] == ["12:00", "13:00"]


async def test_a_retry_in_its_process_survives_its_deployment(api: Api) -> None:
    deployment = await api.deployment()
    policy = {"retries": 1, "resuming": True}
    run = (await api.run(deployment["id"], empirical_policy=policy))["id"]
    await api.set_state(run, "RUNNING")
    await api.set_state(run, "FAILED", force=False)
    await api.delete(f"/deployments/{deployment['id']}")
    left = await api.get(f"/flow_runs/{run}")
    assert (left["state_name"], left["run_count"]) == ("AwaitingRetry", 0)


async def test_with_a_run_that_waits_goes_what_is_below_it(api: Api) -> None:
    deployment = await api.deployment()
    parent = await api.run(deployment["id"])
    body = {"flow_run_id": parent["id"], "task_key": "sub", "dynamic_key": "0", "name": "sub"}
    task = await api.post("/task_runs/", body, status=201)
    body = {"flow_id": deployment["flow_id"], "parent_task_run_id": task["id"]}
    child = await api.post("/flow_runs/", body, status=201)
    await api.delete(f"/deployments/{deployment['id']}")
    await api.get(f"/flow_runs/{parent['id']}", status=404)
    await api.get(f"/task_runs/{task['id']}", status=404)
    assert (await api.get(f"/flow_runs/{child['id']}"))["parent_task_run_id"] is None


async def test_a_deleted_deployment_leaves_what_has_run(core: Core, api: Api) -> None:
    made = await api.deployment(schedules=[{"schedule": HOURLY}], concurrency_limit=1)
    run = await api.run(made["id"])
    await api.set_state(run["id"], "COMPLETED")
    await api.delete(f"/deployments/{made['id']}")
    [left] = await api.runs()
    assert (left["id"], left["deployment_id"]) == (run["id"], made["id"])
    reader = core.database.read(None)
    for table in ("deployment_schedule", "concurrency_limit", "deployment"):
        assert await reader.value(f"select count(*) from {table}") == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"concurrency_limit": 0}, 422), ({"parameters": {"b": "x" * 600_000}}, 422),
        ({"global_concurrency_limit_id": NOBODY}, 404), ({"tags": 1}, 422),
        ({"schedules": [{"schedule": {"cron": "x"}}]}, 422), ({"parameters": {"a": "s"}}, 409),
        ({"parameters": {"a": {"__prefect_kind": "json", "value": "{"}}}, 400),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_and_nothing_changes(
    api: Api, changes: dict, status: int
) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    made = await api.deployment(
        parameter_openapi_schema=schema, parameters={"a": 1}, schedules=[{"schedule": DAILY}]
    )
    runs = await api.runs()
    path = f"/deployments/{made['id']}"
    await api.patch(path, {"description": "new", **changes}, status=status)
    assert await api.get(path) == made
    assert await api.runs() == runs


async def test_parameters_are_replaced_by_what_they_stand_for(api: Api) -> None:
    made = await api.deployment()
    path = f"/deployments/{made['id']}"
    await api.patch(path, {"parameters": {"a": {"__prefect_kind": "json", "value": "[1]"}}})
    assert (await api.get(path))["parameters"] == {"a": [1]}
