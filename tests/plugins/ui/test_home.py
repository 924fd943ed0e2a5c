"""The first page: what went wrong, what is late, what runs, what comes next."""

from __future__ import annotations

from datetime import timedelta

from armillary.testing import ManualClock
from tests.api import Api
from tests.plugins.ui.pages import Pages, part


async def test_a_new_server_says_what_to_type(pages: Pages) -> None:
    text = (await pages.ask("/")).text
    for command in (
        "armillary run -- echo hello", "armillary deploy backup --cron",
        "PREFECT_API_URL=http://127.0.0.1:4200/api",
    ):  # fmt: skip
        assert command in text
    elsewhere = (await pages.ask("/", host="armillary.internal:81")).text
    assert "armillary run --server http://armillary.internal:81 -- echo hello" in elsewhere


async def test_each_run_stands_where_it_belongs(api: Api, pages: Pages, clock: ManualClock) -> None:
    flow = await api.flow("etl")

    async def run(title: str, minutes: int, **state: object) -> None:
        moment = (clock.now() + timedelta(minutes=minutes)).isoformat()
        body = {
            "flow_id": flow, "name": title,
            "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": moment}},
        }  # fmt: skip
        run_id = (await api.post("/flow_runs/", body, status=201))["id"]
        if state:
            await api.set_state(run_id, **state)  # type: ignore[arg-type]  # type and name

    await run("tomorrow", 1440)
    await run("soon", 5)
    late_since = (clock.now() - timedelta(minutes=10)).isoformat()
    await run(
        "forgotten", -10, kind="SCHEDULED", name="Late",
        state_details={"scheduled_time": late_since},
    )  # fmt: skip
    await run("broken", -5, kind="FAILED", message="boom")
    await run("lost", -4, kind="CRASHED")
    await run("busy", -3, kind="RUNNING")
    await run("done", -2, kind="COMPLETED")
    page = await pages.open("/")
    whole = part(page, "home")
    assert "1 run is late" in whole
    assert "2 runs failed or crashed" in whole
    names = {"tomorrow", "soon", "forgotten", "broken", "lost", "busy", "done"}
    expected = {
        "late": {"forgotten"}, "failures": {"broken", "lost"}, "running": {"busy"},
        "upcoming": {"soon", "tomorrow"}, "latest": names - {"soon", "tomorrow"},
    }  # fmt: skip
    for place, there in expected.items():
        text = part(page, place)
        assert {name for name in names if name in text} == there, place
    upcoming = part(page, "upcoming")
    assert upcoming.index("soon") < upcoming.index("tomorrow")


async def test_nothing_is_warned_of_where_all_is_well(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    body = {"flow_id": flow, "name": "falcon", "state": {"type": "PENDING"}}
    run = (await api.post("/flow_runs/", body, status=201))["id"]
    await api.set_state(run, "COMPLETED")
    page = await pages.open("/")
    assert not [one for one in page.all("div") if "notice" in (one.attributes.get("class") or "")]
    assert "Nothing is scheduled." in part(page, "upcoming")
    assert "Nothing runs right now." in part(page, "running")
