"""Limits on tags over HTTP, as older clients use them."""

from typing import Any

import httpx
import msgspec
import pytest

from armillary.core import Core

V1 = "/api/concurrency_limits"
V2 = "/api/v2/concurrency_limits"
FIRST, SECOND = (f"018f0000-0000-7000-8000-00000000000{n}" for n in (1, 2))


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"targets": ("concurrency",)}


async def put(client: httpx.AsyncClient, tag: str = "db", limit: int = 1) -> httpx.Response:
    return await client.post(f"{V1}/", json={"tag": tag, "concurrency_limit": limit})


async def take(client: httpx.AsyncClient, run: str, *tags: str) -> httpx.Response:
    return await client.post(f"{V1}/increment", json={"names": tags, "task_run_id": run})


async def give_back(client: httpx.AsyncClient, run: str, *tags: str) -> httpx.Response:
    return await client.post(f"{V1}/decrement", json={"names": tags, "task_run_id": run})


async def holders(client: httpx.AsyncClient, tag: str = "db") -> Any:
    return (await client.get(f"{V1}/tag/{tag}")).json()["active_slots"]


async def used(client: httpx.AsyncClient, tag: str = "db") -> int:
    return int((await client.get(f"{V2}/tag:{tag}")).json()["active_slots"])


async def test_a_limit_is_set_and_set_again(client: httpx.AsyncClient, core: Core) -> None:
    first = await put(client, limit=1)
    assert first.status_code == 201
    assert sorted(first.json()) == [
        "active_slots", "concurrency_limit", "created", "id", "tag", "updated",
    ]  # fmt: skip
    again = await put(client, limit=2)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["concurrency_limit"]) == (first.json()["id"], 2)
    assert (await client.get(f"{V1}/{first.json()['id']}")).json()["tag"] == "db"
    rows = await core.database.read(None).all("select body from outbox order by id")
    events = [msgspec.json.decode(row[0]) for row in rows]
    assert [(event["event"].rpartition(".")[2], event["payload"]) for event in events] == [
        ("created", {"tag": "db", "concurrency_limit": 1}),
        ("updated", {"tag": "db", "concurrency_limit": 2}),
    ]


async def test_only_limits_on_tags_are_listed(client: httpx.AsyncClient) -> None:
    for tag in ("b", "a"):
        await put(client, tag)
    await client.post(f"{V2}/", json={"name": "else", "limit": 1})
    await client.post(f"{V2}/", json={"name": "tags", "limit": 1})
    answer = await client.post(f"{V1}/filter", json={})
    assert [limit["tag"] for limit in answer.json()] == ["a", "b"]


async def test_a_list_reads_the_holders_of_all_its_limits_at_once(
    client: httpx.AsyncClient, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tag in ("a", "b", "c"):
        await put(client, tag, 2)
    await take(client, FIRST, "a", "b")
    await take(client, SECOND, "b")
    asked: list[str] = []
    reader = type(core.database.read(1))
    read_all = reader.all

    async def counted(self: Any, sql: str, *args: object) -> Any:
        asked.append(sql)
        return await read_all(self, sql, *args)

    monkeypatch.setattr(reader, "all", counted)
    answer = (await client.post(f"{V1}/filter", json={})).json()
    assert [each["active_slots"] for each in answer] == [[FIRST], [FIRST, SECOND], []]
    assert len(asked) == 2


async def test_a_limit_that_is_not_on_a_tag_is_not_found(client: httpx.AsyncClient) -> None:
    made = (await client.post(f"{V2}/", json={"name": "else", "limit": 1})).json()
    for path in (made["id"], "tag/else", FIRST):
        assert (await client.get(f"{V1}/{path}")).status_code == 404
        assert (await client.delete(f"{V1}/{path}")).status_code == 404
    assert (await client.post(f"{V1}/tag/else/reset", json={})).status_code == 404


async def test_task_runs_take_slots_and_give_them_back(client: httpx.AsyncClient) -> None:
    await put(client, limit=1)
    taken = await take(client, FIRST, "db", "unknown")
    assert taken.status_code == 200
    assert [(each["name"], each["limit"]) for each in taken.json()] == [("db", 1)]
    assert await holders(client) == [FIRST]
    full = await take(client, SECOND, "db")
    assert (full.status_code, full.headers["retry-after"]) == (423, "10.0")
    assert "db" in full.json()["detail"]
    assert (await give_back(client, SECOND, "db")).status_code == 200
    assert await holders(client) == [FIRST]
    back = await give_back(client, FIRST, "db")
    assert [each["name"] for each in back.json()] == ["tag:db"]
    assert (await holders(client), await used(client)) == ([], 0)


async def test_a_request_that_comes_twice_takes_one_slot(client: httpx.AsyncClient) -> None:
    await put(client, limit=2)
    for _ in range(2):
        assert (await take(client, FIRST, "db")).status_code == 200
    assert (await holders(client), await used(client)) == ([FIRST], 1)


async def test_a_limit_of_zero_is_shut_without_a_time(client: httpx.AsyncClient) -> None:
    await put(client, limit=0)
    answer = await take(client, FIRST, "db")
    assert answer.status_code == 423
    assert "retry-after" not in answer.headers


async def test_a_reset_takes_every_slot_back_and_gives_them_to_those_named(
    client: httpx.AsyncClient,
) -> None:
    await put(client, limit=3)
    await take(client, FIRST, "db")
    await client.patch(f"{V2}/tag:db", json={"active_slots": 3})
    answer = await client.post(f"{V1}/tag/db/reset", json={"slot_override": [SECOND]})
    assert (answer.status_code, answer.json()) == (200, None)
    assert (await holders(client), await used(client)) == ([SECOND], 1)
    await client.post(f"{V1}/tag/db/reset", json={"slot_override": None})
    assert (await holders(client), await used(client)) == ([], 0)


@pytest.mark.parametrize("by", ["id", "tag"])
async def test_a_deleted_limit_is_gone(client: httpx.AsyncClient, by: str) -> None:
    made = (await put(client)).json()
    path = made["id"] if by == "id" else "tag/db"
    answer = await client.delete(f"{V1}/{path}")
    assert (answer.status_code, answer.json()) == (200, None)
    assert (await client.get(f"{V1}/tag/db")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"tag": "a/b", "concurrency_limit": 1},
        {"tag": "a", "concurrency_limit": -1},
        {"tag": "a"},
        {"concurrency_limit": 1},
    ],
)
async def test_what_is_no_limit_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    assert (await client.post(f"{V1}/", json=body)).status_code == 422
