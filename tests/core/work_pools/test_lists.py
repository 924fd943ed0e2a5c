"""Lists of pools and queues."""

import pytest

from tests.api import Api


async def names(api: Api, path: str, **body: object) -> list[str]:
    return [each["name"] for each in await api.post(path, body)]


async def test_pools_are_listed_by_name_and_filtered(api: Api) -> None:
    made = {name: await api.pool(name) for name in ("b", "a", "c")}
    await api.pool("d", type="docker")
    path = "/work_pools/filter"
    assert await names(api, path) == ["a", "b", "c", "d"]
    assert await names(api, path, limit=2, offset=1) == ["b", "c"]
    assert await names(api, path, limit=0) == []
    by_id = {"id": {"any_": [made["c"]["id"]]}, "name": {"any_": ["a", "c"]}}
    assert await names(api, path, work_pools=by_id) == ["c"]
    assert await names(api, path, work_pools={"operator": "or_", **by_id}) == ["a", "c"]
    assert await names(api, path, work_pools={"type": {"any_": ["docker"]}}) == ["d"]
    assert await names(api, path, work_pools={"type": {"any_": []}}) == []
    assert await api.post("/work_pools/count") == 4
    assert await api.post("/work_pools/count", {"work_pools": {"name": {"any_": ["a"]}}}) == 1


async def test_queues_of_a_pool_are_listed_by_priority(api: Api) -> None:
    await api.pool()
    await api.queue("Zeta", priority=1)
    await api.queue("alpha")
    path = "/work_pools/pool/queues/filter"
    assert await names(api, path) == ["Zeta", "default", "alpha"]
    starts = {"name": {"startswith_": ["z", "DEF"]}}
    assert await names(api, path, work_queues=starts) == ["Zeta", "default"]
    assert await names(api, path, work_queues={"name": {"startswith_": []}}) == [
        "Zeta", "default", "alpha",
    ]  # fmt: skip
    assert await names(api, path, work_queues={"name": {"any_": ["alpha"]}}) == ["alpha"]
    assert await names(api, path, limit=1, offset=2) == ["alpha"]


async def test_the_queues_of_every_pool_are_listed_by_name(api: Api) -> None:
    await api.pool("p1")
    await api.pool("p2")
    await api.queue("a", pool="p2")
    await api.post("/work_queues/", {"name": "z"}, status=201)
    listed = await api.post("/work_queues/filter")
    assert [each["name"] for each in listed] == ["a", "default", "default", "default", "z"]
    assert {each["work_pool_name"] for each in listed} == {"p1", "p2", "default-agent-pool"}
    wanted = {"id": {"any_": [listed[0]["id"]]}}
    assert await names(api, "/work_queues/filter", work_queues=wanted) == ["a"]


@pytest.mark.parametrize(
    "wrong", [{"limit": 201}, {"limit": -1}, {"offset": -1}, {"offset": 2**31}, {"limit": "x"}]
)
async def test_limits_and_offsets_out_of_bounds_are_refused(api: Api, wrong: dict) -> None:
    await api.pool()
    for path in (
        "/work_pools/filter",
        "/work_queues/filter",
        "/work_pools/pool/queues/filter",
        "/work_pools/pool/workers/filter",
    ):
        await api.post(path, wrong, status=422)
