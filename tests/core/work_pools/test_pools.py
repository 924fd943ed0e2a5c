"""Work pools: made with a default queue, named once, paused, changed and deleted."""

import asyncio

import pytest

from armillary.core import Core
from tests.api import Api

TEMPLATE = {
    "job_configuration": {"command": "{{ command }}", "env": {"A": "{{ name }}"}},
    "variables": {
        "type": "object",
        "properties": {"command": {"type": "string"}, "name": {"type": "string", "default": "n"}},
    },
}


async def test_a_new_pool_has_a_default_queue_of_priority_one(api: Api) -> None:
    pool = await api.pool(description="d", base_job_template=TEMPLATE, unknown=1)
    assert (pool["type"], pool["status"], pool["is_paused"]) == ("process", "NOT_READY", False)
    assert (pool["description"], pool["base_job_template"]) == ("d", TEMPLATE)
    assert pool["storage_configuration"] == {
        "bundle_upload_step": None, "bundle_execution_step": None,
        "default_result_storage_block_id": None,
    }  # fmt: skip
    [queue] = await api.post("/work_pools/pool/queues/filter")
    assert (queue["name"], queue["priority"], queue["id"]) == (
        "default", 1, pool["default_queue_id"],
    )  # fmt: skip
    assert queue["status"] == "NOT_READY"
    assert queue["description"] == "The default queue of its work pool."
    assert await api.get("/work_pools/pool") == pool


async def test_members_that_are_null_take_their_defaults(api: Api) -> None:
    body = {
        "name": "p", "type": None, "base_job_template": None, "is_paused": None,
        "concurrency_limit": None, "storage_configuration": None, "description": None,
    }  # fmt: skip
    pool = await api.post("/work_pools/", body, status=201)
    assert (pool["type"], pool["base_job_template"], pool["status"]) == ("prefect-agent", {}, None)


async def test_a_pool_that_is_made_paused_says_so(api: Api) -> None:
    assert (await api.pool(is_paused=True))["status"] == "PAUSED"


@pytest.mark.parametrize("name", ["prefect-x", "Prefect", "PREFECT managed"])
async def test_names_of_the_system_are_refused(api: Api, name: str) -> None:
    for method, path, body in (
        ("POST", "/work_pools/", {"name": name}),
        ("DELETE", f"/work_pools/{name}", None),
        ("PATCH", f"/work_pools/{name}", {"description": "d"}),
    ):
        assert "reserved" in (await api.call(method, path, body, status=403))["detail"]


@pytest.mark.parametrize("name", ["", "a/b", "50%", "a&b", "<", ">", "  ", "''", '"'])
async def test_names_no_address_can_hold_are_refused(api: Api, name: str) -> None:
    await api.post("/work_pools/", {"name": name}, status=422)


async def test_a_name_is_taken_once(api: Api) -> None:
    await api.pool()
    answer = await api.post("/work_pools/", {"name": "pool"}, status=409)
    assert "already exists" in answer["detail"]


async def test_a_name_with_spaces_and_dots_is_found(api: Api) -> None:
    await api.pool("my pool. ü")
    assert (await api.get("/work_pools/my%20pool.%20%C3%BC"))["name"] == "my pool. ü"


async def test_an_unknown_pool_is_404_everywhere(api: Api) -> None:
    for method, path in (
        ("GET", "/work_pools/x"),
        ("PATCH", "/work_pools/x"),
        ("DELETE", "/work_pools/x"),
        ("POST", "/work_pools/x/get_scheduled_flow_runs"),
        ("POST", "/work_pools/x/concurrency_status"),
        ("POST", "/work_pools/x/queues/filter"),
        ("POST", "/work_pools/x/workers/filter"),
        ("GET", "/work_pools/x/queues/q"),
        ("DELETE", "/work_pools/x/queues/q"),
        ("DELETE", "/work_pools/x/workers/w"),
    ):
        assert "detail" in await api.call(method, path, {}, status=404), path
    await api.post("/work_pools/x/queues", {"name": "q"}, status=404)
    await api.post("/work_pools/x/workers/heartbeat", {"name": "w"}, status=404)


async def test_only_what_is_given_changes(api: Api) -> None:
    await api.pool(description="d", concurrency_limit=3, base_job_template=TEMPLATE)
    await api.patch("/work_pools/pool", {"concurrency_limit": 5})
    pool = await api.get("/work_pools/pool")
    assert (pool["description"], pool["concurrency_limit"]) == ("d", 5)
    assert pool["base_job_template"] == TEMPLATE
    await api.patch("/work_pools/pool", {"concurrency_limit": None, "description": None})
    pool = await api.get("/work_pools/pool")
    assert (pool["description"], pool["concurrency_limit"], pool["active_slots"]) == (None,) * 3


@pytest.mark.parametrize("limit", [-1, 2**40])
async def test_a_limit_that_is_none_is_refused(api: Api, limit: int) -> None:
    await api.post("/work_pools/", {"name": "p", "concurrency_limit": limit}, status=422)
    await api.pool()
    await api.patch("/work_pools/pool", {"concurrency_limit": limit}, status=422)


async def test_a_template_must_fit_itself(api: Api) -> None:
    templates: tuple[dict, ...] = (
        {"job_configuration": {}},
        {"variables": {}},
        {"job_configuration": {"command": "{{ other }}"}, "variables": {"properties": {}}},
    )
    for template in templates:
        await api.post("/work_pools/", {"name": "p", "base_job_template": template}, status=422)
    await api.pool()
    bad = {"job_configuration": {"c": "{{ other }}"}, "variables": {"properties": {}}}
    await api.patch("/work_pools/pool", {"base_job_template": bad}, status=422)


async def test_unpausing_a_pool_makes_it_ready_only_with_a_worker(api: Api) -> None:
    await api.pool()
    await api.patch("/work_pools/pool", {"is_paused": True})
    assert (await api.get("/work_pools/pool"))["status"] == "PAUSED"
    await api.patch("/work_pools/pool", {"is_paused": False})
    assert (await api.get("/work_pools/pool"))["status"] == "NOT_READY"
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    await api.patch("/work_pools/pool", {"is_paused": True})
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    assert (await api.get("/work_pools/pool"))["status"] == "PAUSED"
    await api.patch("/work_pools/pool", {"is_paused": False})
    assert (await api.get("/work_pools/pool"))["status"] == "READY"


async def test_the_pool_of_agents_has_no_status(api: Api) -> None:
    pool = await api.pool(type="prefect-agent", is_paused=True)
    assert (pool["status"], pool["is_paused"]) == (None, True)
    await api.patch("/work_pools/pool", {"is_paused": False})
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    assert (await api.get("/work_pools/pool"))["status"] is None


async def test_a_deleted_pool_takes_its_queues_and_workers_with_it(api: Api) -> None:
    await api.pool()
    queue = await api.queue("q")
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    deployment = await api.deployment(work_pool_name="pool", work_queue_name="q")
    run = await api.run(deployment["id"])
    await api.delete("/work_pools/pool")
    await api.get("/work_pools/pool", status=404)
    await api.get(f"/work_queues/{queue['id']}", status=404)
    deployment = await api.get(f"/deployments/{deployment['id']}")
    assert (deployment["work_queue_id"], deployment["work_pool_name"]) == (None, None)
    assert deployment["work_queue_name"] == "q"
    run = await api.get(f"/flow_runs/{run['id']}")
    assert (run["work_queue_id"], run["work_pool_id"], run["work_queue_name"]) == (None, None, "q")
    await api.pool()
    assert await api.post("/work_pools/pool/workers/filter") == []


async def test_slots_are_counted_only_where_there_is_a_limit(api: Api) -> None:
    await api.pool()
    deployment = await api.deployment(work_pool_name="pool")
    for kind in ("RUNNING", "PENDING", "SCHEDULED", "COMPLETED"):
        run = await api.run(deployment["id"])
        await api.set_state(run["id"], kind)
    assert (await api.get("/work_pools/pool"))["active_slots"] is None
    await api.patch("/work_pools/pool", {"concurrency_limit": 1})
    assert (await api.get("/work_pools/pool"))["active_slots"] == 2
    [listed] = await api.post("/work_pools/filter")
    assert listed == await api.get("/work_pools/pool")


async def test_two_pools_of_one_name_at_once_are_one(core: Core, api: Api) -> None:
    answers = await asyncio.gather(
        *(api.client.post("/api/work_pools/", json={"name": "p"}) for _ in range(8))
    )
    assert sorted(each.status_code for each in answers) == [201] + [409] * 7
    assert await core.database.read(1).value("select count(*) from work_queue") == 1
