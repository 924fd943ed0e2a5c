"""Limits in the browser: how much of each is taken, who holds it, and what changes it."""

from typing import Any

from tests.api import Api
from tests.plugins.ui.pages import Pages, link, part

ONE = "/concurrency-limits/concurrency-limit"


async def new(api: Api, name: str, limit: int = 3, **more: object) -> str:
    body = {"name": name, "limit": limit, **more}
    return (await api.post("/v2/concurrency_limits/", body, status=201))["id"]


async def test_limits_of_every_kind_are_listed_with_what_is_taken(api: Api, pages: Pages) -> None:
    path = "/concurrency-limits"
    assert "There is no limit yet" in part(await pages.open(path), "limits")
    await new(api, "warehouse", active_slots=2)
    body = {"tag": "database", "concurrency_limit": 10}
    await api.post("/concurrency_limits/", body, status=201)
    await api.deployment(concurrency_limit=4)
    shown = part(await pages.open(path), "limits")
    for text in ("warehouse what names it 2 of 3", "database task runs with the tag 0 of 10",
                 "nightly runs of the deployment 0 of 4"):  # fmt: skip
        assert text in shown
    for kind, expected in (("global", "warehouse"), ("tag", "database"), ("deployment", "nightly")):
        rows = (await pages.ask(f"{path}.json?type={kind}")).json()["rows"]
        assert [row["shown"] for row in rows] == [expected]
    rows = (await pages.ask(f"{path}.json?name=NIGHT")).json()["rows"]
    assert [row["shown"] for row in rows] == ["nightly"]
    first = (await pages.ask(f"{path}.json?limit=2")).json()
    rest = (await pages.ask(first["next"])).json()
    assert [len(first["rows"]), len(rest["rows"]), rest["next"]] == [2, 1, None]


async def test_a_limit_with_a_name_that_is_nearly_that_of_another_kind_is_a_global_one(
    api: Api, pages: Pages
) -> None:
    for name in ("Tag:x", "tags", "DEPLOYMENT:x"):
        await new(api, name)
    for kind, names in (("global", ["DEPLOYMENT:x", "Tag:x", "tags"]), ("tag", [])):
        rows = (await pages.ask(f"/concurrency-limits.json?type={kind}")).json()["rows"]
        assert [row["name"] for row in rows] == names


async def test_a_list_goes_on_behind_a_name_with_blanks_around_it_and_a_long_one(
    api: Api, pages: Pages
) -> None:
    names = [" a", " a ", "a", "a ", "b" * 1200, "b" * 1201]
    for name in names:
        await new(api, name)
    seen: list[str] = []
    path = "/concurrency-limits.json?limit=1"
    while path and len(seen) <= len(names):
        answer = (await pages.ask(path)).json()
        seen += [row["name"] for row in answer["rows"]]
        path = answer["next"]
    assert seen == names


async def test_a_limit_names_who_holds_its_slots(api: Api, pages: Pages) -> None:
    limit = await new(api, "warehouse")
    flow = await api.flow()
    run = (await api.post("/flow_runs/", {"flow_id": flow, "name": "falcon"}, status=201))["id"]
    holder = {"type": "flow_run", "id": run}
    body = {"slots": 2, "names": ["warehouse"], "holder": holder}
    await api.post("/v2/concurrency_limits/increment-with-lease", body)
    page = await pages.open(f"{ONE}/{limit}")
    assert link(page, "falcon") == f"/runs/flow-run/{run}"
    await api.post("/v2/concurrency_limits/increment", {"slots": 1, "names": ["warehouse"]})
    shown = part(await pages.open(f"/ui/fragments{ONE}/{limit}"), "limit")
    assert "Taken3 of 3" in shown
    assert "1 slot taken without a lease" in shown
    [row] = (await pages.ask(f"{ONE}/{limit}/holders.json")).json()["rows"]
    assert (row["slots"], row["holder_id"], row["holder_name"]) == (2, run, "falcon")
    assert "Reset warehouse?" in (await pages.send(f"{ONE}/{limit}/reset", status=200)).text
    await pages.send(f"{ONE}/{limit}/reset", confirm="yes")
    shown = part(await pages.open(f"{ONE}/{limit}"), "limit")
    assert "Taken0 of 3" in shown
    assert "Nobody does" in shown


async def test_a_limit_is_made_changed_switched_and_deleted_by_forms(
    api: Api, pages: Pages
) -> None:
    wrong = await pages.send(
        "/concurrency-limits/new", kind="global", name="a/b", limit="-1", decay="x", status=422
    )
    for text in ("must not contain", "whole number from 0", "number from 0, as 0.5"):
        assert text in wrong.text
    sent: dict[str, Any] = {"kind": "tag", "name": "database", "limit": "2"}
    answer = await pages.send("/concurrency-limits/new", **sent)
    path = answer.headers["location"]
    assert (await api.get("/concurrency_limits/tag/database"))["concurrency_limit"] == 2
    again = await pages.send("/concurrency-limits/new", **sent, status=422)
    assert "a limit on the tag database already" in again.text
    await pages.send(f"{path}/change", limit="7", decay="")
    await pages.send(f"{path}/off", back="/concurrency-limits")
    made = await api.get("/v2/concurrency_limits/tag:database")
    assert (made["limit"], made["active"]) == (7, False)
    sent = {"kind": "global", "name": "api", "limit": "60", "decay": "1.5"}
    await pages.send("/concurrency-limits/new", **sent)
    assert (await api.get("/v2/concurrency_limits/api"))["slot_decay_per_second"] == 1.5
    await pages.send(f"{path}/delete", confirm="yes")
    await pages.ask(path, status=404)
