"""Lists of deployments, and deleting many."""

import pytest

from armillary.testing import ManualClock
from tests.api import Api


async def names(api: Api, **body: object) -> list[str]:
    return [each["name"] for each in await api.post("/deployments/filter", body)]


async def world(api: Api, clock: ManualClock) -> dict[str, dict]:
    await api.pool("p1")
    await api.pool("p2")
    etl, ml = await api.flow("etl", tags=["f"]), await api.flow("ml")
    made = {}
    for flow, name, more in (
        (etl, "b", {"work_pool_name": "p1", "tags": ["x", "y"]}),
        (etl, "a", {"work_pool_name": "p2", "work_queue_name": "q", "tags": ["x"]}),
        (ml, "c", {"paused": True}),
    ):
        made[name] = await api.deployment(flow, name, **more)
        await clock.advance(1)
    return made


async def test_deployments_are_listed_sorted_and_in_parts(api: Api, clock: ManualClock) -> None:
    made = await world(api, clock)
    await api.patch(f"/deployments/{made['a']['id']}", {"version": "2"})
    assert await names(api) == ["a", "b", "c"]
    assert await names(api, sort="NAME_DESC", limit=2) == ["c", "b"]
    assert await names(api, sort="CREATED_DESC", offset=1) == ["a", "b"]
    assert await names(api, sort="UPDATED_DESC") == ["a", "c", "b"]
    assert await names(api, sort=None, limit=None, flows=None, limits=0) == ["a", "b", "c"]
    assert await names(api, limit=0) == []
    page = await api.post("/deployments/paginate", {"limit": 2, "page": 2})
    assert [each["name"] for each in page.pop("results")] == ["c"]
    assert page == {"count": 3, "limit": 2, "pages": 2, "page": 2}


async def test_deployments_are_found_by_their_own_and_others_properties(
    api: Api, clock: ManualClock
) -> None:
    made = await world(api, clock)
    run = await api.run(made["a"]["id"])
    for filters, wanted in (
        ({"name": {"like_": "A"}}, ["a"]),
        ({"id": {"any_": [made["b"]["id"]]}}, ["b"]),
        ({"id": {"not_any_": [made["b"]["id"]]}}, ["a", "c"]),
        ({"id": {"any_": []}}, []),
        ({"flow_or_deployment_name": {"like_": "ML"}}, ["c"]),
        ({"flow_or_deployment_name": {"like_": "b"}}, ["b"]),
        ({"paused": {"eq_": True}}, ["c"]),
        ({"paused": {"eq_": False}}, ["a", "b"]),
        ({"tags": {"all_": ["x", "y"]}}, ["b"]),
        ({"tags": {"any_": ["y", "z"]}}, ["b"]),
        ({"tags": {"is_null_": True}}, ["c"]),
        ({"work_queue_name": {"any_": ["q"]}}, ["a"]),
        ({"concurrency_limit": {"ge_": 5}}, ["a", "b", "c"]),
        ({"operator": "or_", "name": {"any_": ["a"]}, "paused": {"eq_": True}}, ["a", "c"]),
    ):
        assert await names(api, deployments=filters) == wanted, filters
    for related, wanted in (
        ({"flows": {"name": {"any_": ["etl"]}}}, ["a", "b"]),
        ({"flow_runs": {"id": {"any_": [run["id"]]}}}, ["a"]),
        ({"work_pools": {"name": {"any_": ["p1"]}}}, ["b"]),
        ({"work_pool_queues": {"name": {"any_": ["q"]}}}, ["a"]),
        ({"task_runs": {"name": {"any_": ["x"]}}}, []),
    ):
        assert await names(api, **related) == wanted, related
        assert await api.post("/deployments/count", related) == len(wanted)


async def test_many_are_deleted_by_filter(api: Api, clock: ManualClock) -> None:
    made = await world(api, clock)
    await api.run(made["b"]["id"])
    body = {"deployments": {"tags": {"any_": ["x"]}}, "limit": 1}
    assert await api.post("/deployments/bulk_delete", body) == {"deleted": [made["a"]["id"]]}
    assert await api.post("/deployments/bulk_delete", body) == {"deleted": [made["b"]["id"]]}
    assert await api.post("/deployments/bulk_delete", body) == {"deleted": []}
    assert await names(api) == ["c"]
    assert await api.runs() == []


@pytest.mark.parametrize("wrong", [{"limit": 201}, {"offset": -1}, {"sort": "NO"}])
async def test_what_no_list_can_be_is_refused(api: Api, wrong: dict) -> None:
    await api.post("/deployments/filter", wrong, status=422)
    for limit in (0, 51):
        await api.post("/deployments/bulk_delete", {"limit": limit}, status=422)
    await api.post("/deployments/paginate", {"page": 0}, status=422)
