"""The routes of events: what clients send is taken, what is stored is found page by page."""

import httpx
import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.testing import ManualClock
from tests.plugins.events.samples import event, store


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"targets": ("events",)}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(event(3600).occurred)


def sent(**more: object) -> dict[str, object]:
    return {
        "id": event(1).id,
        "occurred": "2026-01-01T12:00:00Z",
        "event": "it.happened",
        "resource": {"prefect.resource.id": "thing.1"},
        **more,
    }


async def test_an_event_that_was_sent_is_in_the_outbox(
    client: httpx.AsyncClient, core: Core
) -> None:
    answer = await client.post("/api/events", json=[sent()])
    assert (answer.status_code, answer.content) == (204, b"")
    rows = await core.database.read(None).all("select workspace, event_id from outbox")
    assert [tuple(row) for row in rows] == [(1, event(1).id)]


@pytest.mark.parametrize(
    "wrong", [{"id": "7"}, {"occurred": None}, {"resource": {}}, {"event": "x" * 1025},
              {"related": [{"prefect.resource.id": "a"}]}, {"payload": [1]}],
)  # fmt: skip
async def test_an_event_that_is_wrong_is_refused_with_all_that_came_with_it(
    client: httpx.AsyncClient, core: Core, wrong: dict[str, object]
) -> None:
    answer = await client.post("/api/events", json=[sent(id=event(2).id), sent(**wrong)])
    assert answer.status_code == 422
    assert await core.database.read(None).value("select count(*) from outbox") == 0


async def test_events_come_page_by_page_as_they_were_when_the_first_was_read(
    client: httpx.AsyncClient, core: Core, clock: ManualClock
) -> None:
    await store(core, *[event(n) for n in range(5)])
    answer = await client.post("/api/events/filter", json={"filter": {"order": "ASC"}, "limit": 2})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    seen = page["events"]
    await clock.advance(10)
    await store(core, event(3605))
    while page["next_page"]:
        assert page["total"] == 5
        assert page["next_page"].startswith("http://127.0.0.1:4200/api/events/filter/next?page-t")
        page = (await client.get(page["next_page"])).json()
        seen += page["events"]
    assert [each["id"] for each in seen] == [event(n).id for n in range(5)]
    assert set(seen[0]) == {
        "occurred", "event", "resource", "related", "payload", "id", "follows", "received"
    }  # fmt: skip


async def test_newest_come_first_and_fifty_at_a_time_unless_said_otherwise(
    client: httpx.AsyncClient, core: Core
) -> None:
    await store(core, *[event(n) for n in range(60)])
    page = (await client.post("/api/events/filter", json={"filter": None, "limit": None})).json()
    assert len(page["events"]) == 50
    assert page["events"][0]["id"] == event(59).id
    page = (await client.post("/api/events/filter", json={"limit": 100})).json()
    assert (len(page["events"]), page["next_page"]) == (60, None)


async def test_next_pages_stay_in_the_workspace_they_were_asked_in(
    client: httpx.AsyncClient, core: Core
) -> None:
    account, workspace = core.ids.uuid7(), core.ids.uuid7()

    async def found(unit: Unit) -> None:
        await unit.run(
            "insert into workspace (key, id, account_id, name, handle, created)"
            " values (2, ?, ?, 'w', 'w', 0)",
            workspace,
            account,
        )

    await core.database.write(found, workspace=None)
    await store(core, event(1), event(2))
    await store(core, event(3), event(4), workspace=2)
    base = f"/api/accounts/{account}/workspaces/{workspace}/events/filter"
    page = (await client.post(base, json={"limit": 1})).json()
    assert page["next_page"].startswith(f"http://127.0.0.1:4200{base}/next?page-token=")
    following = (await client.get(page["next_page"])).json()
    assert [each["id"] for each in following["events"]] == [event(3).id]


@pytest.mark.parametrize("token", ["", "x", "e30=", "bm9uZQ==", "é"])
async def test_a_token_of_somebody_else_is_refused(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get("/api/events/filter/next", params={"page-token": token})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [{"limit": -1}, {"limit": 201}, {"filter": {"text": {"query": "x" * 201}}},
     {"filter": {"order": "UP"}}, {"filter": {"id": {"id": ["7"]}}}, {"filter": 7}],
)  # fmt: skip
async def test_a_filter_that_is_wrong_is_refused(client: httpx.AsyncClient, body: object) -> None:
    assert (await client.post("/api/events/filter", json=body)).status_code == 422


async def test_a_filter_of_more_prefixes_than_a_statement_takes_is_refused(
    client: httpx.AsyncClient,
) -> None:
    for count, status in ((400, 200), (1000, 422)):
        events = {"event": {"prefix": [f"p{number}" for number in range(count)]}}
        for path in ("filter", "count-by/day"):
            answer = await client.post(f"/api/events/{path}", json={"filter": events})
            assert answer.status_code == status, answer.text
            assert status == 200 or "ask for fewer" in answer.text
