"""The page of the system: what runs, what fails, what waits, and what helps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.deleting import deletions
from armillary.discovery import Refusal
from armillary.jobs import Wanted
from armillary.jobs.store import enqueue
from armillary.server import services_of
from armillary.services.loop import Done, LoopService
from armillary.services.supervisor import Supervisor, supervisor_of
from armillary.testing import Ear, ManualClock
from armillary_plugins.ui.system_schemas import ServiceRow
from armillary_plugins.ui.system_shaping import service_rows
from tests.api import NOBODY, OTHER_KEY, add_other_workspace
from tests.plugins.ui.pages import Pages, live_path, part


class Turns(LoopService):
    name = "scheduler.turns"
    broken = True

    def __init__(self, core: Core) -> None:
        super().__init__(core, interval=10)

    async def run_once(self) -> Done:
        if self.broken:
            raise ValueError("out of sorts")
        return Done()


@pytest.fixture
async def turns(core: Core) -> AsyncIterator[Turns]:
    service = Turns(core)
    supervisor = Supervisor([service])
    await supervisor.start()
    yield service
    await supervisor.stop()


def row_of(core: Core, name: str) -> ServiceRow:
    [found] = [row for row in service_rows(core, now=core.clock.micros()) if row.name == name]
    return found


async def a_job(
    core: Core,
    key: str,
    state: str,
    *,
    what: tuple[str, str] = ("moons", "dig"),
    workspace: int = 1,
) -> str:
    job_id = core.ids.uuid7()

    async def work(unit: Unit) -> None:
        queue, job = what
        wanted = Wanted(id=job_id, queue=queue, job=job, key=key, arguments={"deep": 3})
        await enqueue(unit, wanted)
        await unit.run(
            "update job set state = ?, attempts = 2, error = ?, ended = ? where id = ?",
            state, "ValueError: <stone>", unit.micros if state == "dead" else None, job_id,
        )  # fmt: skip

    await core.database.write(work, workspace=workspace)
    return job_id


async def send(pages: Pages, path: str, status: int = 303) -> httpx.Response:
    answer = await pages.client.post(
        path,
        content=urlencode({}),
        headers={"origin": "http://127.0.0.1:4200"},
        follow_redirects=False,
    )
    assert answer.status_code == status, answer.text[:300]
    return answer


async def test_a_service_that_fails_is_named_with_its_reason(
    core: Core, pages: Pages, turns: Turns, clock: ManualClock
) -> None:
    ear = Ear(turns)
    assert row_of(core, turns.name).state == "new"
    await clock.advance(1)
    await ear.hear("failed")
    assert row_of(core, turns.name).state == "failing"
    page = await pages.open("/system")
    assert "The service scheduler.turns fails: ValueError: out of sorts." in part(page, "system")
    assert "scheduler.turns loop" in part(page, "services")
    turns.broken = False
    await clock.advance(11)
    await ear.hear("turned")
    assert row_of(core, turns.name).state == "well"
    assert "fails" not in part(await pages.open("/system"), "system").partition("Services")[0]


async def test_a_loop_that_takes_no_turn_is_overdue(core: Core, turns: Turns) -> None:
    turns.record.went_well(core.clock.micros() - 61_000_000)
    assert row_of(core, turns.name).state == "overdue"
    turns.record.went_well(core.clock.micros() - 59_000_000)
    assert row_of(core, turns.name).state == "well"


async def test_every_service_of_a_server_is_listed(core: Core, pages: Pages) -> None:
    assert supervisor_of(core) is None
    services = services_of(core)
    supervisor = Supervisor(services)
    await supervisor.start()
    rows = (await pages.ask("/system/services.json")).json()["rows"]
    await supervisor.stop()
    assert {row["name"] for row in rows} == {service.name for service in services}
    kinds = {row["name"]: (row["kind"], row["plugin"]) for row in rows}
    assert kinds["event_persister"] == ("consumer", "event_persister")
    assert kinds["server_background.jobs"] == ("jobs", "server_background")
    assert kinds["mark_late_runs"] == ("loop", "mark_late_runs")
    assert [row["lag"] for row in rows if row["name"] == "event_persister"] == [0]


async def test_what_does_not_run_here_runs_elsewhere(core: Core) -> None:
    assert row_of(core, "scheduler").state == "elsewhere"


async def test_dead_jobs_are_shown_with_what_went_wrong(core: Core, pages: Pages) -> None:
    await a_job(core, "a", "dead")
    await a_job(core, "b", "active")
    answer = await pages.ask("/system")
    assert "1 job failed in every attempt" in answer.text
    assert "ValueError: &lt;stone&gt;" in answer.text
    assert "<stone>" not in answer.text
    rows = (await pages.ask("/system/jobs.json")).json()["rows"]
    assert {(row["key"], row["state"]) for row in rows} == {("a", "dead"), ("b", "active")}


async def test_a_dead_job_is_tried_again_or_discarded(core: Core, pages: Pages) -> None:
    first, second = await a_job(core, "a", "dead"), await a_job(core, "b", "dead")
    answer = await send(pages, f"/system/jobs/{first}/retry")
    assert answer.headers["location"] == "/system#jobs"
    await send(pages, f"/system/jobs/{second}/discard")
    rows = (await pages.ask("/system/jobs.json")).json()["rows"]
    assert [(row["id"], row["state"]) for row in rows] == [(first, "waiting")]
    refused = await send(pages, f"/system/jobs/{first}/discard", status=409)
    assert "only a dead one can be discarded" in refused.text
    await send(pages, f"/system/jobs/{NOBODY}/retry", status=404)


async def test_only_what_nothing_rests_on_can_be_discarded(core: Core, pages: Pages) -> None:
    job = await a_job(core, "flow x", "dead", what=(deletions.QUEUE, deletions.JOB))
    other = await a_job(core, "a", "dead")
    page = (await pages.ask("/system")).text
    assert f"/system/jobs/{job}/retry" in page
    assert f"/system/jobs/{other}/discard" in page
    assert f"/system/jobs/{job}/discard" not in page


async def test_jobs_of_another_workspace_are_nobodys(core: Core, pages: Pages) -> None:
    await add_other_workspace(core)
    job = await a_job(core, "theirs", "dead", workspace=OTHER_KEY)
    assert "theirs" not in (await pages.ask("/system")).text
    await send(pages, f"/system/jobs/{job}/retry", status=404)


async def test_plugins_that_are_left_out_say_why(
    core: Core, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Refusal("moons", "armillary_moons", "armillary-moons 1.2", "it needs a sun")
    found = next(iter(core.plugins.found.values()))
    monkeypatch.setattr(type(core.plugins), "refused", (refusal,))
    monkeypatch.setattr(core.plugins, "found", {**core.plugins.found, "moons": found})
    shown = part(await pages.open("/system"), "system")
    assert "The plugin moons (armillary-moons 1.2) is left out: it needs a sun." in shown
    rows = {row["name"]: row for row in (await pages.ask("/system/plugins.json")).json()["rows"]}
    assert rows["moons"]["state"] == "left out"
    assert rows["logs"]["state"] == "loaded"
    assert next(iter(rows)) == "moons"


async def test_the_database_and_the_versions_are_told(core: Core, pages: Pages) -> None:
    page = await pages.open("/system")
    shown = part(page, "server")
    kind = "SQLite" if core.settings.database_url.startswith("sqlite") else "PostgreSQL"
    assert f"Database{kind} " in shown
    assert "Prefect 3.8.8, API 0.8.4" in shown
    assert "MiB" in shown or "KiB" in shown
    assert live_path(page, "system") == "/ui/fragments/system"
    await pages.ask("/ui/fragments/system")
    assert (await pages.ask("/system/plugins.csv")).text.startswith("name,summary,state")
