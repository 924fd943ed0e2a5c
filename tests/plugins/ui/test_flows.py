"""Flows in the browser: the list with its filters, a flow with its deployments and runs."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from tests.api import NOBODY, OTHER_PREFIX, Api, add_other_workspace
from tests.plugins.ui.pages import Pages, link, live_path, part


async def named(pages: Pages, path: str) -> list[str]:
    """The names of the flows listed on a page."""
    page = await pages.open(path)
    return [one.text for one in page.all("a") if one.attributes.get("class") == "row-link"]


async def test_a_server_without_flows_says_how_to_begin(pages: Pages) -> None:
    assert "There is no flow yet." in (await pages.ask("/flows")).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a_b", "axb", "etl"]),
        ("?name=A", ["a_b", "axb"]),
        ("?tags=eu", ["axb", "etl"]),
        ("?tags=eu,finance", ["etl"]),
        ("?name=%00etl&colour=red", ["etl"]),
        ("?after=a_b", ["axb", "etl"]),
        ("?name=none", []),
    ],
)
async def test_flows_are_filtered_by_the_address(
    api: Api, pages: Pages, query: str, expected: list[str]
) -> None:
    await api.flow("a_b")
    await api.flow("etl", tags=["finance", "eu"])
    await api.flow("axb", tags=["eu"])
    assert await named(pages, f"/flows{query}") == expected
    assert await named(pages, f"/ui/fragments/flows{query}") == expected
    rows = (await pages.ask(f"/flows.json{query}")).json()["rows"]
    assert [row["name"] for row in rows] == expected


async def test_a_flow_shows_its_deployments_and_runs(
    api: Api, pages: Pages, clock: ManualClock
) -> None:
    flow = await api.flow("etl", tags=["finance"])
    later = (clock.now() + timedelta(hours=1)).isoformat()
    made = await api.deployment(flow, "hourly", paused=True)
    failed = await api.run(made["id"], name="falcon")
    await api.set_state(failed["id"], "FAILED", message="no invoices")
    body = {
        "flow_id": flow, "name": "lynx",
        "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": later}},
    }  # fmt: skip
    await api.post("/flow_runs/", body, status=201)
    page = await pages.open(f"/flows/flow/{flow}")
    assert link(page, "hourly") == f"/deployments/deployment/{made['id']}"
    shown = part(page, "flow")
    assert "Paused" in shown
    assert "no invoices" in shown
    assert "lynx" not in shown
    assert "Next runin 1 h" in shown
    assert live_path(page, "flow") == f"/ui/fragments/flows/flow/{flow}"
    assert "Failed: falcon" in (await pages.ask(f"/ui/fragments/flows/flow/{flow}")).text
    [row] = (await pages.ask("/flows.json")).json()["rows"]
    assert (row["deployments"], row["tags"]) == (1, ["finance"])
    assert row["last_run"] < row["next_run"]


async def test_parts_of_the_list_neither_repeat_nor_lose_flows(api: Api, pages: Pages) -> None:
    names = sorted(f"flow-{number:02d}" for number in range(53))
    for name in names:
        await api.flow(name)
    first = await named(pages, "/flows")
    second = await named(pages, f"/flows?after={first[-1]}")
    assert first + second == names
    assert await named(pages, f"/flows?before={second[0]}") == first
    following = (await pages.ask("/flows.json?limit=50")).json()["next"]
    rows = (await pages.ask(following)).json()["rows"]
    assert [row["name"] for row in rows] == second


async def test_flows_of_another_workspace_are_nobodys(
    pages: Pages, core: Core, client: httpx.AsyncClient
) -> None:
    await add_other_workspace(core)
    theirs = await Api(client, OTHER_PREFIX).flow("theirs")
    assert "theirs" not in (await pages.ask("/flows")).text
    for flow in (theirs, NOBODY):
        await pages.ask(f"/flows/flow/{flow}", status=404)
        await pages.ask(f"/ui/fragments/flows/flow/{flow}", status=404)
