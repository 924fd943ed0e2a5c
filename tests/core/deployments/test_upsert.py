"""Making a deployment, and making it again."""

import asyncio
from typing import Any

import pytest

from armillary.core import Core
from tests.api import NOBODY, Api

DAILY = {"interval": 86400, "anchor_date": "2026-01-01T00:00:00Z"}
EVERYTHING: dict[str, Any] = {
    "version": "1", "description": "d", "paused": True, "concurrency_limit": 3,
    "concurrency_options": {"collision_strategy": "CANCEL_NEW", "grace_period_seconds": 60},
    "parameters": {"a": 1}, "parameter_openapi_schema": {"type": "object", "properties": {}},
    "enforce_parameter_schema": False, "tags": ["x", "y", "x"], "pull_steps": [{"git": {"a": 1}}],
    "work_queue_name": "q", "work_pool_name": "pool", "path": "/p", "entrypoint": "f.py:f",
    "job_variables": {"cpu": 2}, "labels": {"team": "blue"},
}  # fmt: skip


async def test_everything_that_is_given_is_answered(api: Api) -> None:
    await api.pool()
    flow = await api.flow(labels={"team": "red", "of": "flow"})
    made = await api.deployment(flow, **EVERYTHING, schedules=[{"schedule": DAILY}], more=1)
    for name in set(EVERYTHING) - {"tags", "labels", "concurrency_limit"}:
        assert made[name] == EVERYTHING[name], name
    assert made["tags"] == ["x", "y"]
    assert made["labels"] == {"team": "blue", "of": "flow", "prefect.flow.id": flow}
    assert made["concurrency_limit"] is None
    assert made["global_concurrency_limit"]["limit"] == 3
    assert made["global_concurrency_limit"]["name"] == f"deployment:{made['id']}"
    assert (made["status"], made["last_polled"]) == ("NOT_READY", None)
    assert (made["created_by"], made["updated_by"]) == (None, None)
    [schedule] = made["schedules"]
    assert (schedule["active"], schedule["deployment_id"]) == (True, made["id"])
    assert made == await api.get(f"/deployments/{made['id']}")
    assert made == await api.get("/deployments/name/etl/nightly")


async def test_members_that_are_null_take_their_defaults(api: Api) -> None:
    nulls: dict[str, Any] = dict.fromkeys([*EVERYTHING, "schedules", "storage_document_id"])
    made = await api.deployment(**nulls)
    assert (made["paused"], made["enforce_parameter_schema"]) == (False, True)
    assert (made["parameters"], made["tags"], made["job_variables"]) == ({}, [], {})
    assert (made["schedules"], made["global_concurrency_limit"]) == ([], None)


async def test_what_is_omitted_stays_except_parameters_and_schedules(api: Api) -> None:
    await api.pool()
    flow = await api.flow()
    first = await api.deployment(flow, **EVERYTHING, schedules=[{"schedule": DAILY}])
    again = await api.post("/deployments/", {"name": "nightly", "flow_id": flow, "version": "2"})
    changed = {"version", "parameters", "schedules", "labels", "updated"}
    assert {name for name in first if first[name] != again[name]} <= changed
    assert (again["version"], again["parameters"], again["schedules"]) == ("2", {}, [])


async def test_the_same_name_is_another_deployment_of_another_flow(api: Api) -> None:
    one = await api.deployment(await api.flow("one"))
    two = await api.deployment(await api.flow("two"))
    assert one["id"] != two["id"]


async def test_many_at_once_make_one(api: Api) -> None:
    flow = await api.flow()
    body = {"name": "d", "flow_id": flow, "schedules": [{"schedule": DAILY}]}
    answers = await asyncio.gather(
        *(api.client.post("/api/deployments/", json=body) for _ in range(6))
    )
    assert sorted({each.status_code for each in answers}) == [200, 201]
    assert len({each.json()["id"] for each in answers}) == 1
    [deployment] = await api.post("/deployments/filter")
    assert len(deployment["schedules"]) == 1
    assert len(await api.runs()) == 3


async def test_a_flow_that_is_not_there_is_a_conflict(api: Api) -> None:
    answer = await api.post("/deployments/", {"name": "d", "flow_id": NOBODY}, status=409)
    assert "integrity" in answer["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "a/b"}, {"concurrency_limit": 0}, {"concurrency_limit": 2**40},
        {"concurrency_limit": 1, "global_concurrency_limit_id": NOBODY},
        {"concurrency_options": {"collision_strategy": "WAIT"}},
        {"concurrency_options": {"collision_strategy": "ENQUEUE", "grace_period_seconds": 1}},
        {"parameter_openapi_schema": [1]}, {"labels": {"a": {"b": 1}}},
        {"schedules": [{"schedule": {"cron": "never"}}]}, {"schedules": [{"schedule": {}}]},
        {"schedules": [{"schedule": {"interval": 0}}]},
        {"schedules": [{"schedule": DAILY, "max_scheduled_runs": 51}]},
        {"schedules": [{"schedule": {**DAILY, "timezone": "Mars/Olympus"}}]},
        {"parameters": {"a": "x" * 600_000}}, {"tags": "x"}, {"flow_id": "no"},
    ],
    ids=lambda wrong: str(wrong)[:40],
)  # fmt: skip
async def test_what_cannot_be_is_refused_and_nothing_is_stored(api: Api, wrong: dict) -> None:
    body = {"name": "d", "flow_id": await api.flow(), **wrong}
    answer = await api.post("/deployments/", body, status=422)
    assert "exception_detail" in answer or "detail" in answer
    assert await api.post("/deployments/count") == 0


async def test_queues_are_found_or_made_in_the_pool(api: Api) -> None:
    pool = await api.pool()
    flow = await api.flow()
    only_pool = await api.deployment(flow, "a", work_pool_name="pool")
    assert only_pool["work_queue_id"] == pool["default_queue_id"]
    assert only_pool["work_queue_name"] == "default"
    both = await api.deployment(flow, "b", work_pool_name="pool", work_queue_name="new")
    assert (both["work_pool_name"], both["work_queue_name"]) == ("pool", "new")
    only_queue = await api.deployment(flow, "c", work_queue_name="agents")
    assert only_queue["work_pool_name"] == "default-agent-pool"
    none = await api.deployment(flow, "d")
    assert (none["work_pool_name"], none["work_queue_name"], none["work_queue_id"]) == (None,) * 3
    body = {"name": "e", "flow_id": flow, "work_pool_name": "nobody"}
    assert "nobody" in (await api.post("/deployments/", body, status=404))["detail"]
    [check] = await api.get(f"/deployments/{both['id']}/work_queue_check")
    assert check["name"] == "new"
    assert await api.get(f"/deployments/{none['id']}/work_queue_check") == []


async def test_its_own_limit_follows_the_deployment(core: Core, api: Api) -> None:
    flow = await api.flow()
    made = await api.deployment(flow, concurrency_limit=2)
    first = made["global_concurrency_limit"]
    body = {"name": "nightly", "flow_id": flow}
    kept = await api.post("/deployments/", body)
    assert kept["global_concurrency_limit"] == first
    changed = await api.post("/deployments/", {**body, "concurrency_limit": 5})
    assert (changed["global_concurrency_limit"]["id"], 5) == (
        first["id"], changed["global_concurrency_limit"]["limit"],
    )  # fmt: skip
    gone = await api.post("/deployments/", {**body, "concurrency_limit": None})
    assert gone["global_concurrency_limit"] is None
    assert await core.database.read(1).value("select count(*) from concurrency_limit") == 0
    await api.post("/deployments/", {**body, "global_concurrency_limit_id": NOBODY}, status=404)
