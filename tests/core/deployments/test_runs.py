"""Runs of deployments: what they take from whom, and handing out those that are due."""

import base64

import pytest

from armillary.testing import ManualClock
from tests.api import NOBODY, Api

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


async def test_a_run_takes_from_the_deployment_and_from_the_request(api: Api) -> None:
    await api.pool()
    made = await api.deployment(
        work_pool_name="pool", version="7", parameters={"a": 1, "b": 1}, tags=["x"],
        labels={"l": "d"},
    )  # fmt: skip
    run = await api.run(
        made["id"], name="mine", parameters={"b": 2}, tags=["y", "x"], labels={"m": 1},
        context={"c": 1}, job_variables={"cpu": 1}, empirical_policy={"retries": 2}, unknown=1,
    )  # fmt: skip
    assert (run["name"], run["parameters"], run["tags"]) == ("mine", {"a": 1, "b": 2}, ["x", "y"])
    assert (run["deployment_id"], run["deployment_version"]) == (made["id"], "7")
    assert (run["work_pool_name"], run["work_queue_name"]) == ("pool", "default")
    assert (run["context"], run["job_variables"]) == ({"c": 1}, {"cpu": 1})
    assert run["empirical_policy"]["retries"] == 2
    assert run["labels"] == {
        "l": "d", "m": 1, "prefect.flow.id": made["flow_id"], "prefect.deployment.id": made["id"],
    }  # fmt: skip
    assert (run["state"]["type"], run["state"]["name"]) == ("SCHEDULED", "Scheduled")
    assert run["expected_start_time"] == "2026-01-01T12:00:00Z"
    assert (run["auto_scheduled"], run["created_by"], run["run_count"]) == (False, None, 0)


async def test_nulls_mean_the_default(api: Api) -> None:
    made = await api.deployment(parameters={"a": 1})
    names = (
        "state", "name", "parameters", "enforce_parameter_schema", "context", "tags", "labels",
        "infrastructure_document_id", "empirical_policy", "idempotency_key", "job_variables",
        "parent_task_run_id", "work_queue_name",
    )  # fmt: skip
    run = await api.run(made["id"], **dict.fromkeys(names))
    assert (run["parameters"], run["tags"]) == ({"a": 1}, [])
    assert "-" in run["name"]


async def test_a_key_makes_one_run(api: Api) -> None:
    made = await api.deployment()
    first = await api.run(made["id"], idempotency_key="k", parameters={"a": 1})
    path = f"/deployments/{made['id']}/create_flow_run"
    again = await api.post(path, {"idempotency_key": "k", "parameters": {"a": 2}})
    assert (again["id"], again["parameters"]) == (first["id"], {"a": 1})
    one, two = await api.run(made["id"], idempotency_key=""), await api.run(made["id"])
    assert one["id"] != two["id"]


async def test_parameters_are_held_against_the_schema(api: Api) -> None:
    made = await api.deployment(parameter_openapi_schema=SCHEMA)
    path = f"/deployments/{made['id']}/create_flow_run"
    assert "Validation failed" in (await api.post(path, {}, status=409))["detail"]
    await api.post(path, {"parameters": {"a": "x"}}, status=409)
    await api.post(path, {"parameters": {"a": "x"}, "enforce_parameter_schema": False}, status=201)
    bad = {"parameters": {"a": {"__prefect_kind": "json", "value": "{"}}}
    assert "Invalid JSON" in (await api.post(path, bad, status=400))["detail"]
    good = {"parameters": {"a": {"__prefect_kind": "json", "value": "3"}}}
    assert (await api.post(path, good, status=201))["parameters"] == {"a": 3}


async def test_job_variables_are_held_against_the_pool(api: Api) -> None:
    template = {
        "job_configuration": {"cpu": "{{ cpu }}"},
        "variables": {
            "type": "object", "properties": {"cpu": {"type": "integer"}}, "required": ["cpu"],
        },
    }  # fmt: skip
    await api.pool(base_job_template=template)
    made = await api.deployment(work_pool_name="pool")
    path = f"/deployments/{made['id']}/create_flow_run"
    assert "cpu" in (await api.post(path, {}, status=422))["detail"]
    await api.post(path, {"job_variables": {"cpu": "x"}}, status=422)
    await api.post(path, {"job_variables": {"cpu": 1}}, status=201)
    body = {"name": "d", "flow_id": made["flow_id"], "work_pool_name": "pool"}
    wrong = {**body, "job_variables": {"cpu": "x"}}
    assert "cpu" in (await api.post("/deployments/", wrong, status=422))["detail"]
    await api.patch(f"/deployments/{made['id']}", wrong, status=409)


async def test_another_queue_of_the_pool_is_made_when_it_is_named(api: Api) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool")
    assert (await api.run(made["id"], work_queue_name="new"))["work_queue_name"] == "new"
    assert (await api.get("/work_pools/pool/queues/new"))["priority"] == 2
    alone = await api.deployment(await api.flow("two"))
    path = f"/deployments/{alone['id']}/create_flow_run"
    assert "no work pool" in (await api.post(path, {"work_queue_name": "q"}, status=400))["detail"]


async def test_who_made_it_comes_from_the_headers_of_automations(api: Api) -> None:
    made = await api.deployment()
    name = base64.b64encode("näme".encode()).decode()
    run = await api.post(
        f"/deployments/{made['id']}/create_flow_run", {}, status=201,
        headers={"prefect-automation-id": NOBODY, "prefect-automation-name": name},
    )  # fmt: skip
    assert run["created_by"] == {"id": NOBODY, "type": "AUTOMATION", "display_value": "näme"}


async def test_many_are_made_and_one_that_fails_does_not_keep_the_others(api: Api) -> None:
    made = await api.deployment(parameter_openapi_schema=SCHEMA)
    path = f"/deployments/{made['id']}/create_flow_run/bulk"
    body = [{"parameters": {"a": 1}}, {}, {"parameters": {"a": 2}}]
    results = (await api.post(path, body))["results"]
    assert [each["status"] for each in results] == ["CREATED", "FAILED", "CREATED"]
    assert "Validation failed" in results[1]["error"]
    assert len(await api.runs()) == 2
    assert await api.post(path, []) == {"results": []}
    await api.post(path, [{}] * 101, status=400)


async def test_due_runs_are_handed_to_a_runner_by_time(api: Api) -> None:
    flow = await api.flow()
    one, two = [await api.deployment(flow, name) for name in ("one", "two")]
    other = await api.deployment(flow, "other")
    for made, minute in ((one, 2), (two, 1), (one, 3), (other, 0)):
        at = f"2026-01-01T12:0{minute}:00Z"
        await api.run(
            made["id"], name=f"{minute}",
            state={"type": "SCHEDULED", "state_details": {"scheduled_time": at}},
        )  # fmt: skip
    body = {"deployment_ids": [one["id"], two["id"], one["id"], NOBODY]}
    path = "/deployments/get_scheduled_flow_runs"
    found = await api.post(path, body)
    assert [run["name"] for run in found] == ["1", "2", "3"]
    assert found[0]["state"]["type"] == "SCHEDULED"
    before = {**body, "scheduled_before": "2026-01-01 12:02:00+00:00"}
    assert [run["name"] for run in await api.post(path, before)] == ["1", "2"]
    assert [run["name"] for run in await api.post(path, {**body, "limit": 1})] == ["1"]
    for made, status in ((one, "READY"), (other, "NOT_READY")):
        found = await api.get(f"/deployments/{made['id']}")
        assert (found["status"], found["updated"]) == (status, made["updated"])
    await api.post(path, {}, status=422)


async def test_polls_that_follow_each_other_closely_are_recorded_once(
    api: Api, clock: ManualClock
) -> None:
    made = await api.deployment()
    path, body = "/deployments/get_scheduled_flow_runs", {"deployment_ids": [made["id"]]}
    for seconds, minute in ((0, "12:00:00"), (2, "12:00:00"), (10, "12:00:12")):
        await clock.advance(seconds)
        await api.post(path, body)
        polled = (await api.get(f"/deployments/{made['id']}"))["last_polled"]
        assert polled == f"2026-01-01T{minute}Z"


@pytest.mark.parametrize("wrong", [{"name": 1}, {"tags": "x"}, {"state": {"type": "NO"}}])
async def test_what_no_run_can_be_is_refused(api: Api, wrong: dict) -> None:
    made = await api.deployment()
    await api.post(f"/deployments/{made['id']}/create_flow_run", wrong, status=422)
