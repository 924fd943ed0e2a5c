"""Flows over HTTP: made once a name, changed, listed, deleted with all below them."""

from typing import Any
from uuid import UUID

import httpx
import msgspec

from armillary.core import Core

UNKNOWN = str(UUID(int=1))


async def create(client: httpx.AsyncClient, name: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/flows/", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def run_of(client: httpx.AsyncClient, flow: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/flow_runs/", json={"flow_id": flow["id"], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def events(core: Core) -> list[dict[str, Any]]:
    rows = await core.database.read(None).all("select body from outbox order by id")
    return [msgspec.json.decode(row[0]) for row in rows]


async def test_a_flow_is_created_once_and_then_answered_unchanged(
    client: httpx.AsyncClient,
) -> None:
    made = await create(client, "etl", tags=["a", "b", "a"], labels={"team": "x", "n": 1})
    assert made["tags"] == ["a", "b"]
    assert made["labels"] == {"team": "x", "n": 1}
    again = await client.post("/api/flows/", json={"name": "etl", "tags": ["c"]})
    assert again.status_code == 200
    assert again.json() == made
    assert (await client.get(f"/api/flows/{made['id']}")).json() == made
    assert (await client.get("/api/flows/name/etl")).json() == made


async def test_the_three_events_of_a_flow_carry_it_as_it_then_is(
    client: httpx.AsyncClient, core: Core
) -> None:
    made = await create(client, "etl", tags=["a"])
    await client.post("/api/flows/", json={"name": "etl"})
    changed = await client.patch(f"/api/flows/{made['id']}", json={"tags": ["b"]})
    assert changed.status_code == 204
    assert (await client.delete(f"/api/flows/{made['id']}")).status_code == 204
    told = await events(core)
    assert [each["event"] for each in told] == [
        "prefect.flow.created", "prefect.flow.updated", "prefect.flow.deleted",
    ]  # fmt: skip
    assert [each["payload"]["tags"] for each in told] == [["a"], ["b"], ["b"]]
    assert told[0]["resource"] == {
        "prefect.resource.id": f"prefect.flow.{made['id']}",
        "prefect.resource.name": "etl",
    }


async def test_a_name_with_a_slash_is_refused_with_the_name_in_the_sentence(
    client: httpx.AsyncClient,
) -> None:
    for name in ("a/b", "", "50%"):
        answer = await client.post("/api/flows/", json={"name": name})
        assert answer.status_code == 422
        assert repr(name) in answer.json()["exception_detail"][0]["msg"]


async def test_a_flow_that_is_not_there_is_404_everywhere(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/api/flows/{UNKNOWN}")).status_code == 404
    assert (await client.get("/api/flows/name/nobody")).status_code == 404
    assert (await client.delete(f"/api/flows/{UNKNOWN}")).status_code == 404
    patched = await client.patch(f"/api/flows/{UNKNOWN}", json={"tags": []})
    assert patched.status_code == 404
    assert patched.json() == {"detail": "Flow not found"}


async def test_deleting_a_flow_takes_its_runs_and_everything_below_them(
    client: httpx.AsyncClient, core: Core
) -> None:
    doomed, other = await create(client, "doomed"), await create(client, "other")
    for place in range(205):
        await run_of(client, doomed, tags=["t"], state={"type": "COMPLETED"}, name=f"r{place}")
    running = await run_of(client, doomed, state={"type": "RUNNING"})
    task = (
        await client.post(
            "/api/task_runs/",
            json={"flow_run_id": running["id"], "task_key": "t", "dynamic_key": "0"},
        )
    ).json()
    child = await run_of(client, other, parent_task_run_id=task["id"])
    assert (await client.delete(f"/api/flows/{doomed['id']}")).status_code == 204
    assert (await client.post("/api/flow_runs/count", json={})).json() == 1
    left = (await client.get(f"/api/flow_runs/{child['id']}")).json()
    assert left["parent_task_run_id"] is None
    reader = core.database.read(None)
    for table in ("task_run", "task_run_state", "flow_run_tag"):
        assert (await reader.all(f"select count(*) from {table}"))[0][0] == 0
    assert (await reader.all("select count(*) from flow_run_state"))[0][0] == 1


async def test_deleting_a_flow_takes_the_limits_of_its_deployments(
    client: httpx.AsyncClient, core: Core
) -> None:
    doomed, other = await create(client, "doomed"), await create(client, "other")
    for flow in (doomed, other):
        body = {"name": "d", "flow_id": flow["id"], "concurrency_limit": 3}
        assert (await client.post("/api/deployments/", json=body)).status_code == 201
    assert (await client.delete(f"/api/flows/{doomed['id']}")).status_code == 204
    found = await core.database.read(None).all(
        "select d.flow_id from concurrency_limit l left join deployment d"
        " on l.name = 'deployment:' || d.id"
    )
    assert [row[0] for row in found] == [other["id"]]


async def test_bulk_delete_takes_at_most_its_limit_and_says_which(
    client: httpx.AsyncClient,
) -> None:
    made = [await create(client, name) for name in ("a1", "a2", "a3", "b")]
    body = {"flows": {"name": {"like_": "a"}}, "limit": 2}
    answer = await client.post("/api/flows/bulk_delete", json=body)
    assert answer.json() == {"deleted": [made[0]["id"], made[1]["id"]]}
    assert (await client.post("/api/flows/count", json={})).json() == 2
    refused = await client.post("/api/flows/bulk_delete", json={"limit": 51})
    assert refused.status_code == 422


async def test_pages_count_all_flows_and_limits_out_of_bounds_are_422(
    client: httpx.AsyncClient,
) -> None:
    for name in ("c", "a", "b"):
        await create(client, name)
    page = (await client.post("/api/flows/paginate", json={"limit": 2, "page": 2})).json()
    assert [each["name"] for each in page.pop("results")] == ["c"]
    assert page == {"count": 3, "limit": 2, "pages": 2, "page": 2}
    empty = (await client.post("/api/flows/paginate", json={"limit": 0})).json()
    assert (empty["results"], empty["pages"], empty["count"]) == ([], 0, 3)
    for body in ({"limit": 201}, {"limit": -1}, {"offset": -1}):
        answer = await client.post("/api/flows/filter", json=body)
        assert answer.status_code == 422, body
    assert (await client.post("/api/flows/paginate", json={"page": 0})).status_code == 422
    named = await client.post("/api/flows/filter", json={"sort": None, "limit": None})
    assert [each["name"] for each in named.json()] == ["a", "b", "c"]
