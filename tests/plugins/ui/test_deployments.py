"""Deployments and schedules in the browser: lists, times, switches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from armillary.core import Core
from armillary.deployments.schedules import fire_times, parse_schedule
from armillary.testing import ManualClock
from armillary_plugins.ui.schedule_times import schedule_row
from tests.api import OTHER_PREFIX, Api, add_other_workspace
from tests.plugins.ui.pages import Pages, link, part

VIENNA = {"cron": "30 2 * * *", "timezone": "Europe/Vienna"}


async def send(pages: Pages, path: str, *, status: int = 303, **fields: str) -> httpx.Response:
    answer = await pages.client.post(path, data=fields, follow_redirects=False)
    assert answer.status_code == status, answer.text[:500]
    return answer


async def named(pages: Pages, path: str) -> list[str]:
    """The names of the deployments or runs listed on a page."""
    page = await pages.open(path)
    return [one.text for one in page.all("a") if one.attributes.get("class") == "row-link"]


async def test_an_empty_list_of_deployments_says_how_to_begin(pages: Pages) -> None:
    assert "armillary deploy backup" in (await pages.ask("/deployments")).text
    assert "--timezone" in (await pages.ask("/schedules")).text


async def test_a_deployment_is_shown_whatever_numbers_and_texts_it_has(
    api: Api, pages: Pages
) -> None:
    body = msgspec.json.encode({
        "name": "d", "flow_id": await api.flow(), "job_variables": {"a": "huge"},
        "parameters": {"x": "huge", "y": {"__prefect_kind": "json", "value": '"\\ud800"'}},
        "parameter_openapi_schema": {"properties": {"z": {"default": "huge"}}},
    }).replace(b'"huge"', b"1e999")  # fmt: skip
    headers = {"content-type": "application/json"}
    made = (await api.client.post("/api/deployments/", content=body, headers=headers)).json()
    page = await pages.open(f"/deployments/deployment/{made['id']}")
    assert "1e999" in part(page, "parameters")
    await pages.ask(f"/deployments/deployment/{made['id']}/run")
    run = await api.run(made["id"])
    assert "\\ud800" in (await pages.ask(f"/runs/flow-run/{run['id']}")).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["hourly", "monthly", "nightly"]),
        ("?flowOrDeploymentName=night", ["nightly"]),
        ("?flowOrDeploymentName=train", ["monthly"]),
        ("?tags=eu,finance", ["nightly"]),
        ("?status=paused", ["monthly"]),
        ("?status=active&tags=eu", ["hourly", "nightly"]),
        ("?pool=pool", ["hourly"]),
        ("?status=nonsense&after=nonsense&before=%00~&tags=,", ["hourly", "monthly", "nightly"]),
        ("?flowOrDeploymentName=nothing", []),
    ],
)
async def test_the_address_filters_deployments(
    api: Api, pages: Pages, query: str, expected: list[str]
) -> None:
    etl, train = await api.flow("etl"), await api.flow("train-forecast")
    await api.pool("pool")
    await api.deployment(etl, "nightly", tags=["eu", "finance"])
    await api.deployment(train, "monthly", paused=True)
    await api.deployment(etl, "hourly", tags=["eu"], work_pool_name="pool")
    assert await named(pages, f"/deployments{query}") == expected
    rows = (await pages.ask(f"/deployments.json{query}")).json()["rows"]
    assert [row["name"] for row in rows] == expected


async def test_pages_of_deployments_neither_repeat_nor_lose_any(api: Api, pages: Pages) -> None:
    flow = await api.flow()
    made = sorted(f"d{number % 7} {number:03}" for number in range(120))
    for name in made:
        await api.deployment(flow, name)
    seen, trail, path = [], [], "/deployments"
    while path:
        trail.append(path)
        seen += await named(pages, path)
        path = link(await pages.open(path), "Next") or ""
    assert seen == made
    assert len(trail) == 3
    back = link(await pages.open(trail[-1]), "Previous")
    assert back is not None
    assert await named(pages, back) == made[50:100]


async def test_a_deployment_shows_its_last_runs_and_the_next(api: Api, pages: Pages) -> None:
    deployment = await api.deployment(
        None, "nightly", schedules=[{"schedule": {"interval": 3600}}], description="What it is for"
    )
    run = await api.run(deployment["id"], name="falcon")
    await api.set_state(run["id"], "FAILED", message="no invoices")
    page = await pages.ask("/deployments")
    assert "Failed: falcon" in page.text
    assert "every 1h" in page.text
    one = await pages.open(f"/deployments/deployment/{deployment['id']}")
    assert "no invoices" in part(one, "latest")
    assert "in 1 h" in part(one, "deployment") or "now" in part(one, "deployment")
    text = (await pages.ask(f"/deployments/deployment/{deployment['id']}")).text
    assert "What it is for" in text


async def test_times_of_a_schedule_are_those_of_its_zone_when_clocks_change(
    api: Api, pages: Pages, clock: ManualClock
) -> None:
    ahead = datetime(2026, 3, 27, 12, tzinfo=UTC) - clock.now()
    await clock.advance(ahead.total_seconds())
    deployment = await api.deployment(None, "nightly", schedules=[{"schedule": VIENNA}])
    page = await pages.open(f"/deployments/deployment/{deployment['id']}")
    times = [
        " ".join(one.text.split())
        for one in page.all("li")
        if "UTC" in one.text and "2026" in one.text
    ]
    assert times == [
        "Sat 28 Mar 2026, 02:30 (UTC+01:00) in 13 h",
        "Sun 29 Mar 2026, 03:30 (UTC+02:00) clocks change before",
        "Mon 30 Mar 2026, 02:30 (UTC+02:00)",
        "Tue 31 Mar 2026, 02:30 (UTC+02:00)",
        "Wed 1 Apr 2026, 02:30 (UTC+02:00)",
    ]


def test_times_that_are_kept_are_those_that_are_computed() -> None:
    text = '{"cron": "30 2 * * *", "timezone": "Europe/Vienna"}'
    start = datetime(2026, 3, 27, 12, tzinfo=UTC)
    for minutes in (0, 5, 13 * 60, 13 * 60 + 30, 13 * 60 + 31, 5000, 1, 0):
        now = start + timedelta(minutes=minutes)
        row = schedule_row(("s", "d", text, 1, None), now=now, fires=3)
        fresh = fire_times(parse_schedule(text.encode(), now=now), now, limit=3)
        assert [fire.moment for fire in row.fires] == list(fresh), minutes


async def test_schedules_are_sorted_by_what_comes_next(api: Api, pages: Pages) -> None:
    flow = await api.flow()
    for name, seconds in (("daily", 86400), ("minutely", 60), ("hourly", 3600)):
        await api.deployment(flow, name, schedules=[{"schedule": {"interval": seconds}}])
    resting = {"schedule": {"interval": 5}, "active": False}
    await api.deployment(flow, "resting", schedules=[resting])
    assert (await named(pages, "/schedules"))[-1] == "resting"
    rows = (await pages.ask("/schedules.json")).json()["rows"]
    moments = [row["next_run"] for row in rows]
    assert moments[:3] == sorted(moments[:3])
    assert moments[3] is None
    assert {row["schedule"] for row in rows} == {"every 1d", "every 1m", "every 1h", "every 5.0 s"}
    csv = (await pages.ask("/schedules.csv?limit=1")).text
    assert csv.count("\r\n") == 2


async def test_a_schedule_that_cannot_be_read_says_why(api: Api, core: Core, pages: Pages) -> None:
    deployment = await api.deployment(None, "odd", schedules=[{"schedule": VIENNA}])

    async def spoil(unit: Any) -> None:
        await unit.run("""update deployment_schedule set schedule = '{"cron": "61 * * * *"}'""")

    await core.database.write(spoil, workspace=1)
    for path in ("/schedules", f"/deployments/deployment/{deployment['id']}", "/deployments"):
        assert "61 * * * *" in (await pages.ask(path)).text


async def test_switches_pause_and_resume_and_lead_back(api: Api, pages: Pages) -> None:
    deployment = await api.deployment(None, "nightly", schedules=[{"schedule": VIENNA}])
    one = f"/deployments/deployment/{deployment['id']}"
    answer = await send(pages, f"{one}/pause", back="/deployments?status=active")
    assert answer.headers["location"] == "/deployments?status=active"
    assert (await api.get(f"/deployments/{deployment['id']}"))["paused"] is True
    await send(pages, f"{one}/resume")
    schedule = deployment["schedules"][0]["id"]
    answer = await send(pages, f"{one}/schedules/{schedule}/pause", back="//evil.example/")
    assert answer.headers["location"] == one
    found = await api.get(f"/deployments/{deployment['id']}")
    assert found["paused"] is False
    assert found["schedules"][0]["active"] is False
    await send(pages, f"{one}/schedules/{schedule}/resume", back="/schedules")
    assert await api.runs() != []


async def test_a_deployment_is_deleted_after_a_second_question(api: Api, pages: Pages) -> None:
    deployment = await api.deployment(None, "nightly", schedules=[{"schedule": VIENNA}])
    one = f"/deployments/deployment/{deployment['id']}"
    assert "Delete nightly?" in (await send(pages, f"{one}/delete", status=200)).text
    await pages.ask(one)
    answer = await send(pages, f"{one}/delete", confirm="yes")
    assert answer.headers["location"] == "/deployments"
    await pages.ask(one, status=404)
    assert await api.runs() == []


async def test_a_form_of_another_site_changes_nothing(api: Api, pages: Pages) -> None:
    deployment = await api.deployment()
    answer = await pages.client.post(
        f"/deployments/deployment/{deployment['id']}/pause",
        data={},
        headers={"origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert (await api.get(f"/deployments/{deployment['id']}"))["paused"] is False


async def test_deployments_of_another_workspace_are_not_seen(
    api: Api, core: Core, pages: Pages
) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    deployment = await other.deployment(None, "theirs", schedules=[{"schedule": VIENNA}])
    for path in ("/deployments", "/schedules", "/schedules.csv", "/deployments.json"):
        assert "theirs" not in (await pages.ask(path)).text
    one = f"/deployments/deployment/{deployment['id']}"
    await pages.ask(one, status=404)
    await send(pages, f"{one}/pause", status=404)
