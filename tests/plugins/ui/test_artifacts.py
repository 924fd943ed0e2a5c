"""Artifacts in the browser: the latest of each key, its history, and each by itself."""

from typing import Any

from tests.api import Api
from tests.plugins.ui.pages import Pages, link, part


async def new(api: Api, key: str | None, data: Any, **more: object) -> str:
    body = {"key": key, "data": data, "type": "markdown", **more}
    return (await api.post("/artifacts/", body, status=201))["id"]


async def test_the_latest_of_each_key_is_listed_and_found(api: Api, pages: Pages) -> None:
    assert "There is no artifact with a key" in part(await pages.open("/artifacts"), "artifacts")
    flow = await api.flow()
    run = (await api.post("/flow_runs/", {"flow_id": flow, "name": "falcon"}, status=201))["id"]
    await new(api, "orders", "old", description="of yesterday")
    await new(api, "orders", "new", description="of today", flow_run_id=run)
    await new(api, "upload", 62.5, type="progress")
    await new(api, None, "without a key")
    page = await pages.open("/artifacts")
    shown = part(page, "artifacts")
    assert "of today" in shown
    assert "of yesterday" not in shown
    assert link(page, "falcon") == f"/runs/flow-run/{run}"
    assert link(page, "orders") == "/artifacts/key/orders"
    assert "upload" not in part(await pages.open("/artifacts?name=ORD"), "artifacts")
    assert "orders" not in part(await pages.open("/artifacts?type=progress"), "artifacts")
    first = (await pages.ask("/artifacts.json?limit=1")).json()
    rest = (await pages.ask(first["next"])).json()
    assert [row["key"] for row in (*first["rows"], *rest["rows"])] == ["orders", "upload"]
    assert rest["next"] is None


async def test_a_key_shows_its_latest_and_those_before(api: Api, pages: Pages) -> None:
    made = [await new(api, "orders", f"text {number}") for number in range(52)]
    page = await pages.open("/artifacts/key/orders")
    assert part(page, "latest").endswith("text 51")
    ids = [one.attributes["id"] for one in page.all("tr") if "data-row" in one.attributes]
    assert ids == [f"artifact-{one}" for one in reversed(made[2:])]
    older = link(page, "Older")
    assert older == f"/artifacts/key/orders?before={made[2]}"
    last = await pages.open(older)
    assert len([one for one in last.all("tr") if "data-row" in one.attributes]) == 2
    assert link(last, "Newest") == "/artifacts/key/orders"
    rows, path = [], "/artifacts/key/orders/history.json?limit=40"
    while path:
        answer = (await pages.ask(path)).json()
        rows += [row["id"] for row in answer["rows"]]
        path = answer["next"]
    assert rows == made[::-1]
    await pages.ask("/artifacts/key/nothing", status=404)


async def test_an_artifact_is_shown_as_what_it_is_and_deleted(api: Api, pages: Pages) -> None:
    for data, more, expected in (
        ("# <Hi>\n[home](https://a.example)", {}, "<Hi>"),
        ('[{"name": "<Ada>"}]', {"type": "table"}, "<Ada>"),
        (62.5, {"type": "progress"}, "62.5 %"),
        ("https://c.example/c.png", {"type": "image"}, "https://c.example/c.png"),
        ("x" * 60_000, {"type": "text"}, "All of it"),
    ):
        made = await new(api, None, data, **more)
        assert expected in part(await pages.open(f"/artifacts/artifact/{made}"), "artifact")
    path = f"/artifacts/artifact/{await new(api, 'orders', 'text')}"
    page = await pages.open(path)
    assert link(page, "orders") == "/artifacts/key/orders"
    assert "Delete orders?" in (await pages.send(f"{path}/delete", status=200)).text
    await pages.send(f"{path}/delete", confirm="yes")
    await pages.ask(path, status=404)
