"""Work pools and queues in the browser: who polls them, what waits, and why nothing runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from armillary_plugins.ui.consumers import changed
from armillary_plugins.ui.repository import pools as repository
from armillary_plugins.ui.routes.pool_changes import read_number
from tests.api import OTHER_PREFIX, Api, add_other_workspace, events
from tests.plugins.ui.pages import Pages, live_path, part

ALONE = "No worker polls the pool pool, so nothing of it runs: start one."


async def send(pages: Pages, path: str, status: int = 303, **fields: str) -> httpx.Response:
    """Send a form as a browser does."""
    answer = await pages.client.post(
        path,
        content=urlencode(fields),
        headers={
            "content-type": "application/x-www-form-urlencoded",
            "origin": "http://127.0.0.1:4200",
        },
        follow_redirects=False,
    )
    assert answer.status_code == status, answer.text[:500]
    return answer


async def waiting_runs(api: Api, count: int = 2, **more: Any) -> str:
    """Runs of a deployment of the pool that are due; the queue's id."""
    await api.pool(**more)
    deployment = await api.deployment(work_pool_name="pool")
    for _ in range(count):
        await api.run(deployment["id"])
    return (await api.get("/work_pools/pool"))["default_queue_id"]


async def test_a_server_without_pools_says_how_to_make_one(pages: Pages) -> None:
    assert "prefect work-pool create" in (await pages.ask("/work-pools")).text


async def test_a_pool_that_nobody_polls_says_so_where_its_runs_wait(api: Api, pages: Pages) -> None:
    queue = await waiting_runs(api)
    for path, where in (
        ("/work-pools", "pools"), ("/work-pools/work-pool/pool", "pool"),
        ("/ui/fragments/work-pools", "pools"),
    ):  # fmt: skip
        shown = part(await pages.open(path), where)
        assert ALONE in shown, path
        assert "prefect worker start --pool pool" in shown
        assert "Not polled" in shown
    own = part(await pages.open(f"/work-queues/work-queue/{queue}"), "queue")
    assert "No worker polls the queue default" in own
    assert "--work-queue default" in own


async def test_nothing_is_said_once_somebody_polls(api: Api, pages: Pages) -> None:
    await waiting_runs(api)
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    shown = part(await pages.open("/work-pools/work-pool/pool"), "pool")
    assert "start one" not in shown
    assert "Ready" in shown
    assert "Online w now" in shown


async def test_the_address_of_a_worker_leads_to_its_row_on_the_page_of_its_pool(
    api: Api, pages: Pages
) -> None:
    for pool in ("a b", "other"):
        await api.post("/work_pools/", {"name": pool, "type": "process"}, status=201)
    await api.post("/work_pools/a b/workers/heartbeat", {"name": "w"}, status=204)
    [worker] = await api.post("/work_pools/a b/workers/filter")
    answer = await pages.ask(f"/work-pools/work-pool/a b/worker/{worker['id']}", status=303)
    path, _, place = answer.headers["location"].partition("#")
    assert path == "/work-pools/work-pool/a%20b"
    assert "Online w now" in part(await pages.open(path), place)
    for elsewhere in ("other", "none"):
        await pages.ask(f"/work-pools/work-pool/{elsewhere}/worker/{worker['id']}", status=404)


async def test_polling_counts_for_a_minute(api: Api, pages: Pages, clock: ManualClock) -> None:
    queue = await waiting_runs(api)
    await api.poll()
    path = f"/work-queues/work-queue/{queue}"
    assert "Ready" in part(await pages.open(path), "queue")
    await clock.advance(61)
    assert "Not polled" in part(await pages.open(path), "queue")


async def test_a_pool_of_the_list_without_waiting_runs_is_no_alarm(api: Api, pages: Pages) -> None:
    await api.pool()
    shown = part(await pages.open("/work-pools"), "pools")
    assert "Not polled" in shown
    assert ALONE not in shown


async def test_what_runs_waits_and_is_late_is_counted(
    api: Api, pages: Pages, clock: ManualClock
) -> None:
    await waiting_runs(api, 5, concurrency_limit=2)
    runs = await api.runs()
    for run in runs[:2]:
        await api.set_state(run["id"], "RUNNING")
    await api.set_state(runs[2]["id"], "SCHEDULED", name="Late")
    later = (clock.now() + timedelta(hours=1)).isoformat()
    await api.set_state(runs[3]["id"], "SCHEDULED", state_details={"scheduled_time": later})
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    shown = part(await pages.open("/work-pools/work-pool/pool"), "pool")
    assert "Running2 of 2" in shown
    assert "Waiting2 1 late" in shown
    assert "The pool pool runs as many as it may (2)" in shown
    [row] = (await pages.ask("/work-pools.json")).json()["rows"]
    assert (row["running"], row["waiting"], row["late"]) == (2, 2, 1)
    assert row["hindrance"].startswith("The pool pool runs as many")


async def test_no_more_is_counted_than_there_is_to_say(
    api: Api, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waiting_runs(api, 3)
    for name in ("_FIRST", "_ONE_POOL", "_QUEUES"):
        sql = getattr(repository, name)
        monkeypatch.setattr(repository, name, sql.replace(f"limit {repository.CAP + 1}", "limit 3"))
    monkeypatch.setattr("armillary_plugins.ui.pool_shaping.CAP", 2)
    assert "2+" in part(await pages.open("/work-pools"), "pools")
    assert "Waiting2+" in part(await pages.open("/work-pools/work-pool/pool"), "pool")


async def test_a_pool_and_a_queue_are_paused_and_resumed(api: Api, pages: Pages) -> None:
    await api.pool()
    queue = (await api.queue("fast"))["id"]
    answer = await send(pages, "/work-pools/work-pool/pool/pause", back="/work-pools?name=p")
    assert answer.headers["location"] == "/work-pools?name=p"
    assert (await api.get("/work_pools/pool"))["status"] == "PAUSED"
    assert "The pool pool is paused" in part(await pages.open("/work-pools/work-pool/pool"), "pool")
    assert "The pool pool is paused" in part(
        await pages.open(f"/work-queues/work-queue/{queue}"), "queue"
    )
    await send(pages, "/work-pools/work-pool/pool/resume", back="//evil.example/")
    assert (await api.get("/work_pools/pool"))["is_paused"] is False
    await send(pages, f"/work-queues/work-queue/{queue}/pause")
    assert (await api.get("/work_pools/pool/queues/fast"))["status"] == "PAUSED"
    await send(pages, f"/work-queues/work-queue/{queue}/resume")
    assert (await api.get("/work_pools/pool/queues/fast"))["is_paused"] is False


async def test_limits_and_priorities_are_changed(api: Api, pages: Pages) -> None:
    await api.pool()
    queue = (await api.queue("fast"))["id"]
    await send(pages, "/work-pools/work-pool/pool/limit", limit=" 7 ")
    assert (await api.get("/work_pools/pool"))["concurrency_limit"] == 7
    await send(pages, "/work-pools/work-pool/pool/limit", limit="")
    assert (await api.get("/work_pools/pool"))["concurrency_limit"] is None
    await send(pages, f"/work-queues/work-queue/{queue}/change", limit="0", priority="1")
    fast = await api.get("/work_pools/pool/queues/fast")
    assert (fast["concurrency_limit"], fast["priority"]) == (0, 1)
    assert (await api.get("/work_pools/pool/queues/default"))["priority"] == 2


async def test_what_is_no_limit_is_said_beside_the_field(api: Api, pages: Pages) -> None:
    await api.pool(concurrency_limit=3)
    queue = (await api.queue("fast"))["id"]
    path = "/work-pools/work-pool/pool/limit"
    answer = await send(pages, path, status=422, limit="many")
    assert "The limit is many, but has to be a whole number from 0 to" in answer.text
    assert 'value="many"' in answer.text
    path = f"/work-queues/work-queue/{queue}/change"
    answer = await send(pages, path, status=422, limit="-1", priority="")
    assert "The limit is -1, but has to be" in answer.text
    assert "A queue needs a priority" in answer.text
    assert (await api.get("/work_pools/pool"))["concurrency_limit"] == 3


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "²", "9" * 5000, "11", "0x1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    number, error = read_number(text, "The limit", least=0, most=10)
    assert number is None
    assert error is not None
    assert len(error) < 200


async def test_another_site_changes_nothing(api: Api, pages: Pages) -> None:
    await api.pool()
    answer = await pages.client.post(
        "/work-pools/work-pool/pool/pause", headers={"origin": "http://evil.example"}
    )
    assert answer.status_code == 403
    assert (await api.get("/work_pools/pool"))["is_paused"] is False


async def test_links_of_clients_find_a_pool_by_id(api: Api, pages: Pages) -> None:
    made = await api.pool()
    page = await pages.open(f"/work-pools/work-pool/{made['id']}")
    assert live_path(page, "pool") == "/ui/fragments/work-pools/work-pool/pool"
    await pages.ask(f"/work-pools/work-pool/{made['id']}/queues.csv")


async def test_the_runs_of_a_pool_and_a_queue_can_be_listed(api: Api, pages: Pages) -> None:
    queue = await waiting_runs(api, 1)
    await api.pool("other")
    [run] = await api.runs()
    pool, other = [(await api.get(f"/work_pools/{name}"))["id"] for name in ("pool", "other")]
    for query, expected in (
        (f"work-pools={pool}", [run["id"]]), (f"work-queues={queue}", [run["id"]]),
        (f"work-pools={other}", []),
    ):  # fmt: skip
        assert await pages.runs(f"/runs?state=Scheduled&{query}") == expected
    assert "Pool pool" in (await pages.ask(f"/runs?work-pools={pool}")).text


async def test_parts_of_the_list_neither_repeat_nor_lose_pools(api: Api, pages: Pages) -> None:
    names = sorted(f"pool-{number:02d}" for number in range(33))
    for name in names:
        await api.pool(name)
    first = await pages.open("/work-pools?name=OOL")
    forward = "/work-pools?name=OOL&after=pool-29"
    assert forward in {one.attributes.get("href") for one in first.all("a")}
    second = (await pages.ask(forward)).text
    assert "pool-30" in second
    assert ">pool-29<" not in second
    back = "/work-pools?name=OOL&before=pool-30"
    assert 'href="/work-pools?name=OOL&amp;before=pool-30"' in second
    assert ">pool-29<" in (await pages.ask(back)).text
    seen: list[str] = []
    path = "/work-pools.json?limit=20"
    while path:
        answer = (await pages.ask(path)).json()
        seen += [row["name"] for row in answer["rows"]]
        path = answer["next"]
    assert seen == names


async def test_a_percent_sign_is_searched_for_as_it_is(api: Api, pages: Pages) -> None:
    await api.pool("a_b")
    await api.pool("axb")
    rows = (await pages.ask("/work-pools.json?name=a_b")).json()["rows"]
    assert [row["name"] for row in rows] == ["a_b"]


async def test_pools_of_another_workspace_are_nobodys(
    pages: Pages, core: Core, client: httpx.AsyncClient
) -> None:
    await add_other_workspace(core)
    other = Api(client, OTHER_PREFIX)
    made = await other.pool("theirs")
    queue = await other.queue("fast", "theirs")
    assert "theirs" not in (await pages.ask("/work-pools")).text
    for path in (
        "/work-pools/work-pool/theirs", f"/work-pools/work-pool/{made['id']}",
        f"/work-queues/work-queue/{queue['id']}",
    ):  # fmt: skip
        await pages.ask(path, status=404)
        await send(pages, f"{path}/pause", status=404)


async def test_open_pages_hear_of_pools_and_queues(api: Api, core: Core) -> None:
    await api.pool()
    told = {
        one for event in await events(core) for one in changed(msgspec.json.encode(event).decode())
    }
    assert told == {'{"kind":"pools"}'}


async def test_a_page_of_many_pools_asks_the_database_a_few_times(
    api: Api, pages: Pages, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await api.pool(f"pool-{number}")
        await api.queue("fast", f"pool-{number}")
    asked: list[str] = []
    reader = type(core.database.read(1))
    for name in ("one", "all"):
        original = getattr(reader, name)

        async def counted(self: object, sql: str, *args: object, ask: object = original) -> object:
            asked.append(sql)
            return await ask(self, sql, *args)  # type: ignore[operator]

        monkeypatch.setattr(reader, name, counted)
    for path in ("/work-pools", "/work-pools/work-pool/pool-1", "/work-pools.csv"):
        asked.clear()
        await pages.ask(path)
        assert 1 <= len(asked) <= 4, f"{path}: {len(asked)}"
