"""Queues of pools, and the queues older clients ask for by id."""

import pytest

from armillary.testing import ManualClock
from tests.api import NOBODY, Api


async def test_a_new_queue_is_answered_whole(api: Api) -> None:
    pool = await api.pool()
    queue = await api.queue("q", description=None, concurrency_limit=2, unknown=1)
    assert queue == await api.get("/work_pools/pool/queues/q")
    assert queue == await api.get(f"/work_queues/{queue['id']}")
    assert (queue["description"], queue["is_paused"], queue["priority"]) == ("", False, 2)
    assert (queue["work_pool_id"], queue["work_pool_name"]) == (pool["id"], "pool")
    assert (queue["status"], queue["last_polled"], queue["filter"]) == ("NOT_READY", None, None)
    assert (queue["concurrency_limit"], queue["active_slots"]) == (2, 0)


async def test_a_queue_that_is_made_paused_is_not_ready_like_others(api: Api) -> None:
    await api.pool()
    queue = await api.queue("q", is_paused=True)
    assert (queue["is_paused"], queue["status"]) == (True, "NOT_READY")


async def test_a_name_is_taken_once_in_its_pool(api: Api) -> None:
    await api.pool()
    await api.pool("other")
    await api.queue("q")
    await api.queue("q", pool="other")
    assert "detail" in await api.post("/work_pools/pool/queues", {"name": "q"}, status=409)
    await api.queue("r")
    await api.patch("/work_pools/pool/queues/r", {"name": "q"}, status=409)


@pytest.mark.parametrize(
    "wrong",
    [{"name": "a/b"}, {"name": ""}, {"concurrency_limit": -1}, {"priority": 0}, {"priority": -3},
     {"priority": 2**31}, {"concurrency_limit": 2**31}],
)  # fmt: skip
async def test_what_no_queue_can_have_is_refused(api: Api, wrong: dict) -> None:
    await api.pool()
    await api.queue("q")
    await api.post("/work_pools/pool/queues", {"name": "new", **wrong}, status=422)
    await api.patch("/work_pools/pool/queues/q", wrong, status=422)


async def test_only_what_is_given_changes(api: Api) -> None:
    await api.pool()
    await api.queue("q", description="d", concurrency_limit=3)
    await api.patch("/work_pools/pool/queues/q", {})
    await api.patch("/work_pools/pool/queues/q", {"name": "r", "is_paused": None})
    queue = await api.get("/work_pools/pool/queues/r")
    assert (queue["description"], queue["concurrency_limit"], queue["priority"]) == ("d", 3, 2)
    await api.patch(f"/work_queues/{queue['id']}", {"concurrency_limit": None, "description": "e"})
    queue = await api.get("/work_pools/pool/queues/r")
    assert (queue["description"], queue["concurrency_limit"]) == ("e", None)


async def test_unpausing_a_queue_looks_at_its_last_poll(api: Api, clock: ManualClock) -> None:
    await api.pool()
    path = "/work_pools/pool/queues/default"
    await api.patch(path, {"is_paused": False})
    assert (await api.get(path))["status"] == "NOT_READY"
    await api.poll()
    await api.patch(path, {"is_paused": False})
    assert (await api.get(path))["status"] == "READY"
    for seconds, status in ((30, "READY"), (61, "NOT_READY")):
        await api.patch(path, {"is_paused": True})
        assert (await api.get(path))["status"] == "PAUSED"
        await clock.advance(seconds)
        await api.patch(path, {"is_paused": False})
        assert (await api.get(path))["status"] == status


async def test_the_default_queue_cannot_be_deleted(api: Api) -> None:
    pool = await api.pool()
    answer = await api.delete("/work_pools/pool/queues/default", status=409)
    assert "default queue" in answer["detail"]
    await api.delete(f"/work_queues/{pool['default_queue_id']}", status=409)


async def test_a_deleted_queue_leaves_its_name_behind(api: Api) -> None:
    await api.pool()
    await api.queue("q")
    deployment = await api.deployment(work_pool_name="pool", work_queue_name="q")
    run = await api.run(deployment["id"])
    await api.delete("/work_pools/pool/queues/q")
    await api.get("/work_pools/pool/queues/q", status=404)
    for path in (f"/deployments/{deployment['id']}", f"/flow_runs/{run['id']}"):
        found = await api.get(path)
        assert (found["work_queue_id"], found["work_queue_name"]) == (None, "q")


async def test_slots_of_a_limited_queue_are_counted(api: Api) -> None:
    await api.pool()
    deployment = await api.deployment(work_pool_name="pool")
    for kind in ("RUNNING", "PENDING", "SCHEDULED"):
        await api.set_state((await api.run(deployment["id"]))["id"], kind)
    path = "/work_pools/pool/queues/default"
    assert (await api.get(path))["active_slots"] is None
    await api.patch(path, {"concurrency_limit": 0})
    assert (await api.get(path))["active_slots"] == 2


async def test_queues_without_a_pool_live_in_the_pool_of_agents(api: Api) -> None:
    queue = await api.post("/work_queues/", {"name": "q"}, status=201)
    assert queue["work_pool_name"] == "default-agent-pool"
    pool = await api.get("/work_pools/default-agent-pool")
    assert (pool["type"], pool["status"]) == ("prefect-agent", None)
    assert await api.get("/work_queues/name/q") == queue
    await api.get("/work_queues/name/nobody", status=404)
    await api.post("/work_queues/", {"name": "q"}, status=409)
    await api.patch(f"/work_queues/{queue['id']}", {"is_paused": True})
    assert (await api.get("/work_queues/name/q"))["status"] == "PAUSED"
    await api.delete(f"/work_queues/{queue['id']}")
    await api.get("/work_queues/name/q", status=404)


async def test_an_unknown_queue_is_404(api: Api) -> None:
    for method, path in (
        ("GET", f"/work_queues/{NOBODY}"),
        ("PATCH", f"/work_queues/{NOBODY}"),
        ("DELETE", f"/work_queues/{NOBODY}"),
        ("POST", f"/work_queues/{NOBODY}/get_runs"),
        ("POST", f"/work_queues/{NOBODY}/concurrency_status"),
        ("GET", f"/work_queues/{NOBODY}/status"),
        ("GET", "/work_queues/no-uuid"),
    ):
        assert "detail" in await api.call(method, path, {}, status=404), path
