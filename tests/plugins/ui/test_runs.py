"""The list of runs: filters in its address, pages without gaps, parts of their own."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from armillary_plugins.ui.repository import runs as repository
from tests.api import OTHER_PREFIX, Api, add_other_workspace
from tests.plugins.ui.pages import Pages, link, live_path, part

EVIL = "<script>alert(1)</script>"


async def new_run(api: Api, flow_id: str, name: str, **more: object) -> str:
    state = more.pop("state", {"type": "PENDING"})
    body = {"flow_id": flow_id, "name": name, "state": state, **more}
    return (await api.post("/flow_runs/", body, status=201))["id"]


async def test_an_empty_server_says_how_to_begin(pages: Pages) -> None:
    home = await pages.ask("/")
    assert "http://127.0.0.1:4200/api" in home.text
    assert "Nothing has run yet." in (await pages.ask("/runs")).text


async def test_runs_are_listed_with_flow_deployment_state_and_tags(api: Api, pages: Pages) -> None:
    flow = await api.flow("nightly-invoices")
    deployment = await api.deployment(flow, "production")
    run = await api.run(deployment["id"], name="amber-falcon", tags=["finance"])
    await api.set_state(run["id"], "FAILED", message="no invoices")
    for path in ("/", "/runs"):
        text = (await pages.ask(path)).text
        for word in ("amber-falcon", "nightly-invoices", "production", "Failed", "no invoices"):
            assert word in text, f"{word} on {path}"
    assert "/runs?tags=finance" in text


async def test_what_people_write_stays_text(api: Api, pages: Pages) -> None:
    flow = await api.flow("\"'")
    run = await new_run(api, flow, EVIL, tags=[EVIL], parameters={"x": EVIL})
    await api.set_state(run, "FAILED", message=EVIL, name=EVIL)
    query = "%3Cscript%3Ealert(1)"
    for path in (
        "/", "/runs", f"/runs?flow-run-search={query}&state={query}&tags={query}",
        f"/runs/flow-run/{run}",
    ):  # fmt: skip
        text = (await pages.ask(path)).text
        assert "<script>" not in text, path
        assert "&lt;script&gt;" in text, path


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("flow-run-search=alco", {"falcon"}),
        ("flow=train", {"lynx"}),
        ("state=Failed", {"falcon"}),
        ("state=FAILED,Running", {"falcon", "lynx"}),
        ("state=Retrying", {"lynx"}),
        ("tags=eu,finance", {"falcon"}),
        ("tags=eu", {"falcon", "otter"}),
        ("range=1h", {"falcon", "lynx", "otter"}),
        ("range=1h&state=Scheduled", {"otter", "later"}),
        ("state=Nonsense", set()),
        ("flows=nonsense", set()),
        ("range=nonsense&before=nonsense&after=1.2&colour=red", {"falcon", "lynx", "otter"}),
        ("flow-run-search=%00otter", {"otter"}),
        ("", {"falcon", "lynx", "otter"}),
    ],
)
async def test_the_address_filters(
    api: Api, pages: Pages, clock: ManualClock, query: str, expected: set[str]
) -> None:
    etl, train = await api.flow("etl"), await api.flow("train-forecast")
    later = (clock.now() + timedelta(hours=2)).isoformat()
    made = {
        "falcon": await new_run(api, etl, "falcon", tags=["finance", "eu"]),
        "lynx": await new_run(api, train, "lynx"),
        "otter": await new_run(api, etl, "otter", tags=["eu"], state={"type": "SCHEDULED"}),
        "later": await new_run(
            api, etl, "later",
            state={"type": "SCHEDULED", "state_details": {"scheduled_time": later}},
        ),
    }  # fmt: skip
    await api.set_state(made["falcon"], "FAILED")
    await api.set_state(made["lynx"], "RUNNING", name="Retrying")
    names = {run_id: name for name, run_id in made.items()}
    assert {names[run_id] for run_id in await pages.runs(f"/runs?{query}")} == expected
    assert {names[one] for one in await pages.runs(f"/ui/fragments/runs?{query}")} == expected


async def test_a_filter_in_force_can_be_taken_off(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    await new_run(api, flow, "falcon")
    page = await pages.open(f"/runs?flow-run-search=fal&flows={flow}&range=7d")
    chips = {
        one.text.split("Remove")[0].strip(): one.attributes["href"]
        for one in page.all("a")
        if one.attributes.get("class") == "chip"
    }
    assert chips == {
        "Name has fal": f"/runs?range=7d&flows={flow}",
        "Past week": f"/runs?flow-run-search=fal&flows={flow}",
        "Flow etl": "/runs?flow-run-search=fal&range=7d",
    }


async def test_pages_neither_repeat_nor_lose_runs(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    made = [await new_run(api, flow, f"run-{number}") for number in range(120)]
    seen: list[str] = []
    path: str | None = "/runs"
    trail = []
    while path:
        trail.append(path)
        seen += await pages.runs(path)
        path = link(await pages.open(path), "Older")
    assert len(trail) == 3
    assert sorted(seen) == sorted(made)
    assert seen == sorted(made, reverse=True), "all have the same start: ids decide"
    back = [await pages.runs(trail[-1])]
    path = link(await pages.open(trail[-1]), "Newer")
    while path:
        back.append(await pages.runs(path))
        path = link(await pages.open(path), "Newer")
    assert [one for page in reversed(back) for one in page] == seen


async def test_pages_of_a_tag_neither_repeat_nor_lose_runs(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    made = [await new_run(api, flow, f"run-{number}", tags=["eu"]) for number in range(60)]
    first = await pages.runs("/runs?tags=eu")
    older = link(await pages.open("/runs?tags=eu"), "Older")
    assert older is not None
    assert [*first, *await pages.runs(older)] == sorted(made, reverse=True)


async def test_a_page_within_the_list_stays_where_it_is(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    for number in range(60):
        await new_run(api, flow, f"run-{number}")
    older = link(await pages.open("/runs"), "Older")
    assert older is not None
    page = await pages.open(older)
    fragment = live_path(page, "runs")
    assert fragment is not None
    assert urlsplit(fragment).query == urlsplit(older).query
    before = await pages.runs(older)
    await new_run(api, flow, "newer")
    assert await pages.runs(fragment) == before


async def test_runs_are_counted_by_state_up_to_a_bound(
    api: Api, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "CAP", 3)
    flow = await api.flow("etl")
    for number in range(5):
        run = await new_run(api, flow, f"run-{number}")
        await api.set_state(run, "COMPLETED" if number else "FAILED")
    page = await pages.open("/runs?state=Completed")
    tabs = {
        one.text for one in page.all("a") if "tab" in (one.attributes.get("class") or "").split()
    }
    assert {"Completed3+", "Failed1", "Running0"} <= {"".join(tab.split()) for tab in tabs}
    assert "more than 3 runs" in part(page, "runs")


async def test_a_script_gets_the_list_alone_and_a_clean_address(api: Api, pages: Pages) -> None:
    await new_run(api, await api.flow("etl"), "falcon")
    query = "/runs?flow-run-search=fal&flow=&tags=&state=&range="
    answer = await pages.ask(query, hx_request="true")
    assert answer.text.startswith("<section")
    assert answer.headers["hx-push-url"] == "/runs?flow-run-search=fal"
    assert "HX-Request" in answer.headers["vary"]
    assert (await pages.ask(query)).text.startswith("<!doctype html>")


async def test_a_fragment_that_is_the_same_is_not_sent_again(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    await new_run(api, flow, "falcon")
    first = await pages.ask("/ui/fragments/runs")
    tag = first.headers["etag"]
    again = await pages.ask("/ui/fragments/runs", status=304, if_none_match=tag)
    assert again.content == b""
    await new_run(api, flow, "heron")
    await pages.ask("/ui/fragments/runs", status=200, if_none_match=tag)


async def test_pages_are_sent_packed(pages: Pages) -> None:
    packed = await pages.ask("/runs", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == (await pages.ask("/runs", accept_encoding="identity")).text


async def test_runs_of_another_workspace_are_not_seen(api: Api, core: Core, pages: Pages) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    run = await new_run(other, await other.flow("theirs"), "falcon")
    assert "Nothing has run yet." in (await pages.ask("/runs")).text
    await pages.ask(f"/runs/flow-run/{run}", status=404)
