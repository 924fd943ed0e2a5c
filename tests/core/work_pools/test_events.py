"""Events of pools, queues and deployments that polling, pausing and changing announce."""

from armillary.core import Core
from armillary.testing import ManualClock
from tests.api import Api, events, names_of_events


async def test_a_new_pool_is_announced_after_its_queue(core: Core, api: Api) -> None:
    pool = await api.pool(is_paused=True)
    announced = await events(core)
    assert [each["event"] for each in announced] == [
        "prefect.work-queue.created", "prefect.work-pool.created", "prefect.work-pool.paused",
    ]  # fmt: skip
    queue, made, status = announced
    assert queue["related"][0]["prefect.resource.id"] == f"prefect.work-pool.{pool['id']}"
    assert queue["related"][0]["prefect.work-pool.type"] == "process"
    assert (
        made["resource"]
        == status["resource"]
        == {
            "prefect.resource.id": f"prefect.work-pool.{pool['id']}",
            "prefect.resource.name": "pool",
            "prefect.work-pool.type": "process",
        }
    )
    assert made["related"][0]["prefect.resource.role"] == "default-queue"
    found = "select last_status_event_id from work_pool"
    assert await core.database.read(1).value(found) == status["id"]


async def test_the_pool_of_agents_announces_no_status(core: Core, api: Api) -> None:
    await api.post("/work_queues/", {"name": "q"}, status=201)
    await api.patch("/work_pools/default-agent-pool", {"is_paused": True})
    assert not {"work-pool.not-ready", "work-pool.paused"} & set(await names_of_events(core))


async def test_changes_say_from_what_to_what(core: Core, api: Api) -> None:
    await api.pool(description="a")
    before = len(await events(core))
    await api.patch("/work_pools/pool", {"description": "b", "concurrency_limit": None})
    await api.patch("/work_pools/pool", {"description": "b"})
    await api.patch("/work_pools/pool/queues/default", {"priority": 3, "name": "d"})
    pool, queue = (await events(core))[before:]
    assert pool["payload"] == {
        "updated_fields": ["description"], "updates": {"description": {"from": "a", "to": "b"}},
    }  # fmt: skip
    assert queue["payload"]["updates"] == {
        "name": {"from": "default", "to": "d"}, "priority": {"from": 1, "to": 3},
    }  # fmt: skip
    assert queue["resource"]["prefect.resource.name"] == "d"


async def test_a_pools_status_follows_its_last_one_if_that_is_recent(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await api.pool()
    last = (await events(core))[-1]["id"]
    for seconds, follows in ((60, True), (599, True), (601, False)):
        await clock.advance(seconds)
        await api.patch("/work_pools/pool", {"is_paused": True})
        event = (await events(core))[-1]
        assert event["event"] == "prefect.work-pool.paused"
        assert event["follows"] == (last if follows else None)
        last = event["id"]


async def test_a_queues_status_is_announced_only_when_it_flips(core: Core, api: Api) -> None:
    await api.pool()
    before = len(await events(core))
    path = "/work_pools/pool/queues/default"
    for paused in (False, True, True, False, False):
        await api.patch(path, {"is_paused": paused})
    assert await names_of_events(core, since=before) == [
        "work-queue.paused", "work-queue.not-ready",
    ]  # fmt: skip


async def test_queues_are_deleted_before_their_pool(core: Core, api: Api) -> None:
    await api.pool()
    before = len(await events(core))
    await api.delete("/work_pools/pool")
    assert await names_of_events(core, since=before) == ["work-queue.deleted", "work-pool.deleted"]


async def test_a_poll_wakes_queues_and_deployments_once(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool")
    before = len(await events(core))
    for _ in range(3):
        await api.poll()
        await clock.advance(10)
    assert await names_of_events(core, since=before) == ["work-queue.ready", "deployment.ready"]
    found = await api.get(f"/deployments/{made['id']}")
    assert (found["status"], found["updated"]) == ("READY", made["updated"])
    assert found["last_polled"] == "2026-01-01T12:00:20Z"
    await api.patch("/work_pools/pool/queues/default", {"is_paused": True})
    await api.poll()
    assert (await api.get("/work_pools/pool/queues/default"))["status"] == "PAUSED"
