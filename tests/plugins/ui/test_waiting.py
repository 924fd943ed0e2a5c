"""The page of a run that does not run says why, and says no more once it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.testing import ManualClock
from tests.api import Api
from tests.plugins.ui.pages import Pages, live_path, part

DUE = {"type": "SCHEDULED"}


async def said(pages: Pages, run: str) -> str:
    page = await pages.open(f"/runs/flow-run/{run}")
    whole = part(page, "run-waiting")
    path = live_path(page, "run-waiting")
    if path is not None:
        assert part(await pages.open(path), "run-waiting") == whole
    return whole


async def new_run(api: Api, state: Mapping[str, object] = DUE, **deployment: object) -> str:
    made = await api.deployment(**deployment)  # type: ignore[arg-type]
    return (await api.run(made["id"], state=state))["id"]


async def test_a_run_of_a_pool_that_nobody_polls_names_it(api: Api, pages: Pages) -> None:
    await api.pool()
    run = await new_run(api, work_pool_name="pool")
    assert "No worker polls the pool pool, so nothing of it runs" in await said(pages, run)
    await api.post("/work_pools/pool/workers/heartbeat", {"name": "w"}, status=204)
    assert "No worker polls the queue default" in await said(pages, run)
    await api.poll()
    assert await said(pages, run) == ""


@pytest.mark.parametrize("paused", ["pool", "queue"])
async def test_a_pause_is_named(api: Api, pages: Pages, paused: str) -> None:
    await api.pool()
    run = await new_run(api, work_pool_name="pool")
    await api.poll()
    path = "/work_pools/pool" if paused == "pool" else "/work_pools/pool/queues/default"
    await api.patch(path, {"is_paused": True})
    name = "pool pool" if paused == "pool" else "queue default"
    assert f"The {name} is paused" in await said(pages, run)


@pytest.mark.parametrize("full", ["pool", "queue"])
async def test_a_limit_that_is_reached_is_named(api: Api, pages: Pages, full: str) -> None:
    await api.pool()
    path = "/work_pools/pool" if full == "pool" else "/work_pools/pool/queues/default"
    await api.patch(path, {"concurrency_limit": 1})
    made = await api.deployment(work_pool_name="pool")
    first, second = [(await api.run(made["id"]))["id"] for _ in range(2)]
    await api.set_state(first, "RUNNING")
    await api.poll()
    assert "runs as many as it may (1)" in await said(pages, second)
    assert await said(pages, first) == ""


async def test_a_wait_for_a_slot_of_the_deployment_is_named(api: Api, pages: Pages) -> None:
    run = await new_run(api, concurrency_limit=3)
    await api.set_state(run, "SCHEDULED", name="AwaitingConcurrencySlot")
    assert "The deployment nightly runs as many as it may (3)" in await said(pages, run)


async def test_a_deployment_that_nobody_serves_is_named(
    api: Api, pages: Pages, core: Core, clock: ManualClock
) -> None:
    run = await new_run(api)
    assert "Nobody serves the deployment nightly" in await said(pages, run)

    async def serve(unit: Unit) -> None:
        await unit.run("update deployment set last_polled = ?", clock.micros())

    await core.database.write(serve, workspace=1)
    assert await said(pages, run) == ""


async def test_a_run_without_a_deployment_says_who_alone_runs_it(api: Api, pages: Pages) -> None:
    body = {"flow_id": await api.flow(), "name": "falcon", "state": DUE}
    run = (await api.post("/flow_runs/", body, status=201))["id"]
    assert "only the program that made it runs it" in await said(pages, run)


async def test_a_claim_that_leads_to_nothing_is_named_after_a_while(
    api: Api, pages: Pages, clock: ManualClock
) -> None:
    run = await new_run(api, state={"type": "PENDING"})
    assert await said(pages, run) == ""
    await clock.advance(61)
    assert "has not begun" in await said(pages, run)


async def test_nothing_is_said_of_runs_that_are_not_due_run_or_have_ended(
    api: Api, pages: Pages, clock: ManualClock
) -> None:
    later = (clock.now() + timedelta(hours=1)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": later}}
    run = await new_run(api, state=state)
    assert await said(pages, run) == ""
    for kind in ("RUNNING", "COMPLETED"):
        await api.set_state(run, kind)
        assert await said(pages, run) == ""
    page = await pages.open(f"/runs/flow-run/{run}")
    assert live_path(page, "run-waiting") is None
