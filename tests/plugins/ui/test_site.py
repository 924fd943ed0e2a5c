"""What holds for all pages: policy, failures, links of clients, static files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from armillary.core import Core
from armillary.testing import app_of
from armillary_plugins.ui.answers import POLICY
from armillary_plugins.ui.routes import PAGES
from armillary_plugins.ui.site import site_of
from tests.api import NOBODY, Api
from tests.contracts.world import a_world
from tests.plugins.ui.pages import Pages, link

ADDRESSES = sorted(route.path for routes in PAGES for route in routes.http if route.method == "GET")
_PLACEHOLDER = re.compile(r"([^/]+)/\{(?:id:uuid|name)\}")
TWINS = {".json": "application/json", ".csv": "text/csv; charset=utf-8"}


async def things(api: Api) -> dict[str, str]:
    """An id or a name for every placeholder of an address."""
    flow = await api.flow("etl")
    body = {"flow_id": flow, "name": "falcon", "state": {"type": "PENDING"}}
    run = (await api.post("/flow_runs/", body, status=201))["id"]
    task = {"flow_run_id": run, "task_key": "t", "dynamic_key": "0"}
    deployment = await api.deployment(flow)
    await api.pool("pool")
    queue = await api.queue("fast")
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    [worker] = await api.post("/work_pools/pool/workers/filter")
    limit = await api.post(
        "/v2/concurrency_limits/", {"name": "gpu", "limit": 1, "active": True}, status=201
    )
    return {
        "flow-run": run,
        "task-run": (await api.post("/task_runs/", task, status=201))["id"],
        "flow": flow,
        "deployment": deployment["id"],
        "work-pool": "pool",
        "work-queue": queue["id"],
        "worker": worker["id"],
        "concurrency-limit": limit["id"],
        "docs": "flow-runs",
    }


async def test_every_page_carries_the_policy_and_is_found(api: Api, pages: Pages) -> None:
    made = await things(api)
    for address in ADDRESSES:
        if "{path" in address:
            continue
        path = _PLACEHOLDER.sub(lambda found: f"{found[1]}/{made[found[1]]}", address)
        answer = await pages.client.get(path, follow_redirects=False)
        assert answer.status_code in (200, 303, 308), f"{path}: {answer.text[:300]}"
        if answer.status_code == 200:
            assert answer.headers["content-security-policy"] == POLICY, path
            kind = TWINS.get(Path(path).suffix, "text/html; charset=utf-8")
            assert answer.headers["content-type"] == kind


async def test_no_page_asks_the_database_more_than_eight_times_and_once_for_each_card(
    api: Api, pages: Pages, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await things(api)
    run = made["flow-run"]
    line = {"name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T12:00:00Z"}
    lines = [{**line, "flow_run_id": run, "task_run_id": made["task-run"]}]
    await api.post("/logs/", lines, status=201)
    asked: list[str] = []
    reader = type(core.database.read(1))
    for name in ("one", "all"):
        original = getattr(reader, name)

        async def counted(self: Any, sql: str, *args: object, ask: Any = original) -> Any:
            asked.append(sql)
            return await ask(self, sql, *args)

        monkeypatch.setattr(reader, name, counted)
    for path in (
        "/", f"/runs?tags=a,b&flows={made['flow']}&deployments={made['deployment']}",
        f"/runs/flow-run/{run}", f"/runs/task-run/{made['task-run']}", "/schedules",
        "/deployments?tags=a&pool=pool", f"/deployments/deployment/{made['deployment']}",
    ):  # fmt: skip
        asked.clear()
        await pages.ask(path)
        cards = sum(len(one.run_cards) for one in site_of(core).added) if run in path else 0
        assert 1 <= len(asked) <= 8 + cards, f"{path}: {len(asked)}"


def test_every_route_of_data_declares_a_scope() -> None:
    open_to_all = {route.path for routes in PAGES for route in routes.http if route.scope is None}
    assert open_to_all == {
        "/ui/static/{path:path}", "/patterns", "/dashboard", "/flow-runs",
        "/flow-runs/flow-run/{id:uuid}", "/flow-runs/task-run/{id:uuid}", "/docs", "/docs/{name}",
    }  # fmt: skip


async def test_every_address_that_prefect_prints_leads_to_a_page(core: Core, pages: Pages) -> None:
    world = await a_world(core, Api(pages.client))
    for path in (
        "/", f"/flows/flow/{world.flow}", f"/runs/flow-run/{world.run}",
        f"/flow-runs/flow-run/{world.run}", f"/runs/task-run/{world.task}",
        "/deployments", f"/deployments/deployment/{world.deployment}",
        "/work-pools/work-pool/pool", f"/work-queues/work-queue/{world.queue}",
        f"/work-pools/work-pool/pool/worker/{world.worker}",
        f"/concurrency-limits/concurrency-limit/{world.tag_limit}",
        f"/concurrency-limits/concurrency-limit/{world.limit}",
        f"/blocks/block/{world.block}", "/blocks/catalog", "/blocks/catalog/creds/create",
        f"/automations/automation/{world.automation}", f"/events/event/2026-01-01/{world.event}",
    ):  # fmt: skip
        answer = await pages.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        assert answer.text.startswith("<!doctype html>"), path


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere", "/runs/nowhere", "/runs/flow-run/12", f"/runs/flow-run/{NOBODY}",
        f"/runs/task-run/{NOBODY}", f"/flows/flow/{NOBODY}", "/work-pools/work-pool/none",
        "/ui/static/none.css", "/docs/none",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_a_page_that_says_so(pages: Pages, path: str) -> None:
    answer = await pages.ask(path, status=404)
    assert "There is nothing here." in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    part = await pages.ask(path, status=404, hx_request="true")
    assert part.text.startswith("<div")


async def test_the_api_keeps_its_own_answers(pages: Pages) -> None:
    answer = await pages.ask("/api/nowhere", status=404)
    assert answer.json() == {"detail": "Not Found"}


async def test_a_method_that_is_not_allowed_is_told_which_are(pages: Pages) -> None:
    for path, allowed in (("/runs", "GET"), ("/api/health", "GET")):
        refused = await pages.client.post(path)
        assert (refused.status_code, allowed in refused.headers["allow"]) == (405, True)
    refused = await pages.client.put("/api/flows/filter")
    assert (refused.json(), "POST" in refused.headers["allow"]) == (
        {"detail": "Method Not Allowed"}, True,
    )  # fmt: skip


async def test_a_page_tells_its_headers_alone_to_who_asks_for_them(pages: Pages) -> None:
    for path in ("/", "/runs", "/ui/static/none.css"):
        whole, head = await pages.client.get(path), await pages.client.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.headers["content-length"] == whole.headers["content-length"]
    assert (await pages.client.head("/api/flows/count")).status_code == 405


async def test_a_fault_is_a_page_that_tells_nothing_of_the_inside(
    pages: Pages, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(core.database, "read", broken)
    answer = await pages.ask("/runs", status=500)
    assert "This page could not be made." in answer.text
    assert "secret" not in answer.text


async def test_links_of_clients_lead_to_what_they_name(api: Api, pages: Pages) -> None:
    made = await things(api)
    flow = await pages.open(f"/flows/flow/{made['flow']}")
    assert link(flow, "Its runs") == f"/runs?flows={made['flow']}"
    assert await pages.runs(f"/runs?flows={made['flow']}") == [made["flow-run"]]
    deployment = await pages.ask(f"/deployments/deployment/{made['deployment']}")
    assert "nightly" in deployment.text
    assert f"/flows/flow/{made['flow']}" in deployment.text
    assert await pages.runs(f"/runs?deployments={made['deployment']}") == []


async def test_static_files_are_kept_for_good_and_sent_packed(pages: Pages) -> None:
    page = await pages.open("/runs")
    paths = [one.attributes["src"] or "" for one in page.all("script")]
    paths += [one.attributes["href"] or "" for one in page.all("link")]
    for path in paths:
        answer = await pages.ask(path, accept_encoding="gzip")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(paths) == 5


class TestBehindAProxy:
    @pytest.fixture
    def core_flags(self) -> dict[str, object]:
        return {"server.base_path": "/flows-of/us", "ui.environment": "staging"}

    async def test_every_link_has_the_base_path(self, core: Core) -> None:
        transport = httpx.ASGITransport(app=app_of(core))
        async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
            pages = Pages(client, core)
            api = Api(client, "/flows-of/us/api")
            run = (await things(api))["flow-run"]
            for path in ("/", "/runs?range=1d", f"/runs/flow-run/{run}"):
                page = await pages.open(f"/flows-of/us{path}")
                linked = [
                    one.attributes.get(name)
                    for one in page.elements
                    for name in ("href", "src", "action", "data-stream", "data-live-src")
                ]
                site = [one for one in linked if one and not one.startswith("#")]
                assert site
                assert all(one.startswith("/flows-of/us/") for one in site), site
                assert page.all("title")[0].text.startswith("[staging] ")
                assets = [one.attributes["src"] or "" for one in page.all("script")]
                await pages.ask(assets[0])
            moved = await client.get("/flows-of/us/dashboard", follow_redirects=False)
            assert moved.headers["location"] == "/flows-of/us/"
            assert (await client.get("/flows-of/use/api/health")).status_code == 404
