"""Workers, pools, queues and deployments that went quiet, and when."""

from armillary.core import Core
from armillary.services.loop import Done
from armillary.testing import ManualClock
from armillary_plugins.work_queue_monitor.config import Config
from armillary_plugins.work_queue_monitor.services import WatchWork
from tests.api import Api, names_of_events


async def beat(api: Api, name: str, **more: object) -> None:
    body = {"name": name, **more}
    await api.post("/work_pools/pool/workers/heartbeat", body, status=204)


async def statuses(api: Api) -> dict[str, str]:
    workers = await api.post("/work_pools/pool/workers/filter")
    return {worker["name"]: worker["status"] for worker in workers}


async def test_a_worker_without_heartbeats_goes_offline_and_then_its_pool(
    core: Core, api: Api, clock: ManualClock
) -> None:
    service = WatchWork(core, Config())
    await api.pool()
    await api.pool("other")
    await beat(api, "usual")
    await beat(api, "fast", heartbeat_interval_seconds=10)
    await clock.advance(31)
    assert await service.turn() == Done(found=1, changed=1)
    assert await statuses(api) == {"usual": "ONLINE", "fast": "OFFLINE"}
    await clock.advance(59)
    assert await service.turn() == Done(found=0, changed=0)
    before = len(await names_of_events(core))
    await clock.advance(1)
    assert await service.turn() == Done(found=2, changed=2)
    assert (await statuses(api))["usual"] == "OFFLINE"
    assert (await api.get("/work_pools/pool"))["status"] == "NOT_READY"
    assert await names_of_events(core, since=before) == ["work-pool.not-ready"]
    await beat(api, "usual")
    assert (await api.get("/work_pools/pool"))["status"] == "READY"
    assert await service.turn() == Done(found=0, changed=0)


async def test_a_clock_put_back_lets_nobody_seem_to_be_there_for_longer(
    core: Core, api: Api, clock: ManualClock
) -> None:
    service = WatchWork(core, Config())
    await api.pool()
    await beat(api, "usual")
    await api.post("/work_pools/pool/get_scheduled_flow_runs", {})
    queue = (await api.post("/work_pools/pool/queues/filter"))[0]
    assert queue["status"] == "READY"
    clock.jump(-86_400)
    assert await service.turn() == Done(found=0, changed=0)
    await clock.advance(91)
    assert await service.turn() == Done(found=3, changed=3)
    assert await statuses(api) == {"usual": "OFFLINE"}


async def test_a_paused_pool_stays_paused(core: Core, api: Api, clock: ManualClock) -> None:
    await api.pool()
    await beat(api, "w")
    await api.patch("/work_pools/pool", {"is_paused": True})
    await clock.advance(600)
    await WatchWork(core, Config()).turn()
    assert (await api.get("/work_pools/pool"))["status"] == "PAUSED"


async def test_queues_and_deployments_that_nobody_polls_become_not_ready(
    core: Core, api: Api, clock: ManualClock
) -> None:
    service = WatchWork(core, Config())
    await api.pool()
    flow = await api.flow()
    pooled = await api.deployment(flow, "pooled", work_pool_name="pool")
    served = await api.deployment(flow, "served")
    runner = {"deployment_ids": [served["id"]]}
    await api.poll()
    await api.post("/deployments/get_scheduled_flow_runs", runner)
    await clock.advance(60)
    assert await service.turn() == Done(found=0, changed=0)
    await api.post("/deployments/get_scheduled_flow_runs", runner)
    before = len(await names_of_events(core))
    await clock.advance(1)
    assert await service.turn() == Done(found=2, changed=2)
    assert await names_of_events(core, since=before) == [
        "work-queue.not-ready", "deployment.not-ready",
    ]  # fmt: skip
    after = await api.get(f"/deployments/{pooled['id']}")
    assert (after["status"], after["updated"]) == ("NOT_READY", pooled["updated"])
    assert (await api.get(f"/deployments/{served['id']}"))["status"] == "READY"
    assert (await api.get("/work_pools/pool/queues/default"))["status"] == "NOT_READY"
    await clock.advance(61)
    assert await service.turn() == Done(found=1, changed=1)
    assert (await api.get(f"/deployments/{served['id']}"))["status"] == "NOT_READY"


async def test_a_deployment_whose_queue_is_polled_stays_ready(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool")
    service = WatchWork(core, Config())
    for _ in range(10):
        await api.poll()
        await clock.advance(20)
        assert await service.turn() == Done(found=0, changed=0)
    assert (await api.get(f"/deployments/{made['id']}"))["status"] == "READY"
