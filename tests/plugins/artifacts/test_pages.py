"""The page of a run shows what it and its tasks made."""

import httpx
import pytest

from armillary.access import SCOPES, Actor
from armillary.core import Core
from armillary.front import Front
from tests.api import Api
from tests.plugins.ui.pages import Pages, link, part


async def test_the_page_of_a_run_shows_its_artifacts_newest_first(
    core: Core, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, pages = Api(client), Pages(client, core)
    flow = await api.flow()
    run = (await api.post("/flow_runs/", {"flow_id": flow}, status=201))["id"]
    body = {"flow_run_id": run, "task_key": "t", "dynamic_key": "0", "name": "load-0"}
    task = (await api.post("/task_runs/", body, status=201))["id"]
    path = f"/runs/flow-run/{run}"
    assert "artifacts" not in (await pages.open(path)).ids()
    for more in (
        {"type": "markdown", "key": "note", "data": "[home](https://a.example)"},
        {"type": "table", "data": '[{"name": "<Ada>"}]', "description": "**who**"},
        {"type": "progress", "data": 62.5, "task_run_id": task},
        {"type": "image", "data": "https://c.example/c.png"},
        {"type": "text", "data": "x" * 60_000},
        {"type": "result", "data": "hidden"},
    ):
        await api.post("/artifacts/", {"flow_run_id": run, **more}, status=201)
    page = await pages.open(path)
    assert ("#artifacts", "Artifacts") in [
        (one.attributes["href"], one.text) for one in page.all("a")
    ]
    shown = part(page, "artifacts")
    places = [shown.index(text) for text in ("All of it", "c.example", "62.5 %", "Ada", "note")]
    assert places == sorted(places)
    assert "hidden" not in shown
    assert link(page, "home") == "https://a.example"
    assert link(page, "load-0") == f"/runs/task-run/{task}"
    (bar,) = page.all("progress")
    assert bar.attributes["value"] == "62.5"
    nobody = Actor("00000000-0000-4000-8000-00000000000b", "x", SCOPES - {"see_artifacts"})
    monkeypatch.setattr(Front, "_actor", lambda _: nobody)
    assert "artifacts" not in (await pages.open(path)).ids()
