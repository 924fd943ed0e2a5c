"""Workers: heard of by their heartbeats, listed, forgotten."""

import asyncio

from armillary.core import Core
from armillary.testing import ManualClock
from tests.api import Api, names_of_events

HEARTBEAT = "/work_pools/pool/workers/heartbeat"


async def beat(api: Api, name: str = "w", **more: object) -> None:
    await api.post(HEARTBEAT, {"name": name, **more}, status=204)


async def listed(api: Api, **filters: object) -> list[dict]:
    return await api.post("/work_pools/pool/workers/filter", {"workers": filters})


async def test_the_first_heartbeat_makes_a_worker_and_its_pool_ready(api: Api) -> None:
    pool = await api.pool()
    await beat(api, heartbeat_interval_seconds=20)
    [worker] = await listed(api)
    assert (worker["name"], worker["status"]) == ("w", "ONLINE")
    assert (worker["work_pool_id"], worker["heartbeat_interval_seconds"]) == (pool["id"], 20)
    assert (await api.get("/work_pools/pool"))["status"] == "READY"


async def test_a_later_heartbeat_keeps_the_worker(api: Api, clock: ManualClock) -> None:
    await api.pool()
    await beat(api, heartbeat_interval_seconds=20)
    [before] = await listed(api)
    await clock.advance(30)
    await beat(api)
    [after] = await listed(api)
    assert after["id"] == before["id"]
    assert after["last_heartbeat_time"] > before["last_heartbeat_time"]
    assert after["heartbeat_interval_seconds"] == 20


async def test_workers_are_listed_by_their_last_heartbeat(api: Api, clock: ManualClock) -> None:
    await api.pool()
    for name in ("a", "b", "c"):
        await beat(api, name)
        await clock.advance(10)
    await beat(api, "a")
    assert [each["name"] for each in await listed(api)] == ["a", "c", "b"]
    at = {each["name"]: each["last_heartbeat_time"] for each in await listed(api)}
    after = await listed(api, last_heartbeat_time={"after_": at["c"]})
    assert [each["name"] for each in after] == ["a", "c"]
    before = await listed(api, last_heartbeat_time={"before_": at["c"]})
    assert [each["name"] for each in before] == ["c", "b"]
    assert len(await listed(api, status={"any_": ["ONLINE"]})) == 3
    assert await listed(api, status={"not_any_": ["ONLINE"]}) == []
    assert await listed(api, status={"any_": []}) == []
    page = await api.post("/work_pools/pool/workers/filter", {"limit": 1, "offset": 1})
    assert [each["name"] for each in page] == ["c"]


async def test_a_forgotten_worker_is_gone(api: Api) -> None:
    await api.pool()
    await beat(api)
    await api.delete("/work_pools/pool/workers/w")
    assert await listed(api) == []
    await api.delete("/work_pools/pool/workers/w", status=404)


async def test_many_heartbeats_at_once_make_a_pool_ready_once(core: Core, api: Api) -> None:
    await api.pool()
    await asyncio.gather(*(beat(api, f"w{number % 3}") for number in range(12)))
    assert len(await listed(api)) == 3
    assert (await names_of_events(core)).count("work-pool.ready") == 1
