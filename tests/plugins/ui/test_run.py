"""The pages of a flow run and of a task run, and the parts they fetch anew."""

from __future__ import annotations

import re
from typing import Any

import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.testing import ManualClock
from tests.api import Api
from tests.plugins.ui.pages import Pages, link, live_path, part

AT = "2026-01-01T12:00:00Z"


async def new_run(api: Api, **more: object) -> str:
    [*flows] = await api.post("/flows/filter")
    flow = flows[0]["id"] if flows else await api.flow("nightly-invoices")
    body = {"flow_id": flow, "name": "amber-falcon", "state": {"type": "PENDING"}, **more}
    return (await api.post("/flow_runs/", body, status=201))["id"]


async def new_task(api: Api, run: str | None, key: str = "extract", **more: object) -> str:
    body = {
        "flow_run_id": run, "task_key": key, "dynamic_key": "0", "name": f"{key}-0",
        "state": {"type": "PENDING"}, **more,
    }  # fmt: skip
    return (await api.post("/task_runs/", body, status=201))["id"]


async def set_task_state(api: Api, task: str, kind: str, **more: object) -> None:
    body = {"state": {"type": kind, **more}, "force": True}
    await api.post(f"/task_runs/{task}/set_state", body, status=201)


async def log(api: Api, run: str, *lines: dict[str, Any]) -> None:
    common = {"name": "prefect.flow_runs", "level": 20, "timestamp": AT, "flow_run_id": run}
    await api.post("/logs/", [{**common, **line} for line in lines], status=201)


async def test_a_run_shows_its_state_and_why_first(
    api: Api, pages: Pages, clock: ManualClock
) -> None:
    run = await new_run(api, parameters={"day": "2026-11-20"}, tags=["finance"])
    await api.set_state(run, "RUNNING")
    await clock.advance(30)
    await api.set_state(run, "FAILED", message="no invoices")
    page = await pages.open(f"/runs/flow-run/{run}")
    header = part(page, "run-header")
    assert re.match(
        r"Failed ?now no invoices Started ?\d+ s ago Ended ?now ?Duration ?30 s", header
    )
    states = part(page, "run-states")
    assert re.search(r"Running \d+ s ago 30 s Failed now . no invoices", states)
    assert '"day": "2026-11-20"' in part(page, "parameters")
    assert run in part(page, "details")
    assert page.all("title")[0].text == "Failed · amber-falcon · Armillary"


async def test_a_run_that_goes_on_is_fetched_anew_and_a_final_one_is_not(
    api: Api, pages: Pages, clock: ManualClock
) -> None:
    run = await new_run(api)
    parts = ("run-header", "run-states", "task-runs")
    page = await pages.open(f"/runs/flow-run/{run}")
    paths = [live_path(page, name) for name in parts]
    assert all(paths)
    for name, path in zip(parts, paths, strict=True):
        assert part(await pages.open(str(path)), name) == part(page, name)
    await api.set_state(run, "COMPLETED")
    done = await pages.open(f"/runs/flow-run/{run}")
    assert live_path(done, "run-header") is None
    assert live_path(done, "task-runs"), "clients report the last task runs and lines late"
    await clock.advance(61)
    settled = await pages.open(f"/runs/flow-run/{run}")
    assert [live_path(settled, name) for name in parts] == [None] * 3


async def test_a_run_whose_states_are_gone_has_a_page(api: Api, pages: Pages, core: Core) -> None:
    run = await new_run(api)

    async def forget(unit: Unit) -> None:
        await unit.run("delete from flow_run_state where flow_run_id = ?", run)

    await core.database.write(forget, workspace=1)
    await pages.ask(f"/runs/flow-run/{run}")


async def test_task_runs_are_listed_with_their_subflows(api: Api, pages: Pages) -> None:
    run = await new_run(api)
    await api.set_state(run, "RUNNING")
    task = await new_task(api, run)
    await set_task_state(api, task, "RUNNING")
    child = await new_run(api, name="child", parent_task_run_id=task)
    page = await pages.open(f"/runs/flow-run/{run}")
    assert "extract-0" in part(page, "task-runs")
    assert link(page, "subflow") == f"/runs/flow-run/{child}"
    below = await pages.open(f"/runs/flow-run/{child}")
    assert link(below, "amber-falcon") == f"/runs/flow-run/{run}"


async def test_pages_of_task_runs_neither_repeat_nor_lose_any(api: Api, pages: Pages) -> None:
    run = await new_run(api)
    made = [await new_task(api, run, f"t{number}") for number in range(230)]
    seen: list[str] = []
    path: str | None = f"/runs/flow-run/{run}"
    trail = []
    while path:
        trail.append(path.partition("#")[0])
        page = await pages.open(trail[-1])
        seen += [one[5:] for one in page.ids() if one.startswith("task-") and len(one) == 41]
        path = link(page, "Next")
    assert len(trail) == 3
    assert sorted(seen) == sorted(made)
    assert "230 task runs" in part(await pages.open(trail[0]), "task-runs")
    assert link(await pages.open(trail[1]), "Previous") is not None


async def test_a_task_run_shows_its_state_flow_run_and_inputs(api: Api, pages: Pages) -> None:
    run = await new_run(api)
    task = await new_task(
        api, run, task_inputs={"x": [{"input_type": "constant", "type": "int"}]},
        empirical_policy={"retries": 2, "retry_delay": 5},
    )  # fmt: skip
    await set_task_state(api, task, "FAILED", message="row 3 has no price")
    page = await pages.open(f"/runs/task-run/{task}")
    assert "row 3 has no price" in part(page, "run-header")
    assert "of at most 3" in part(page, "run-header")
    assert link(page, "amber-falcon") == f"/runs/flow-run/{run}"
    assert '"input_type": "constant"' in part(page, "inputs")
    for name in ("header", "states", "logs"):
        await pages.ask(f"/ui/fragments/runs/task-run/{task}/{name}")


async def test_a_task_run_without_a_flow_run_has_a_page(api: Api, pages: Pages) -> None:
    task = await new_task(api, None)
    text = (await pages.ask(f"/runs/task-run/{task}")).text
    assert f'data-live="run:{task}"' in text


async def test_a_log_is_filtered_by_level_and_names_tasks(api: Api, pages: Pages) -> None:
    run = await new_run(api)
    task = await new_task(api, run)
    await log(api, run, {"message": "quiet"}, {"message": "loud", "level": 40, "task_run_id": task})
    page = await pages.open(f"/runs/flow-run/{run}")
    assert "quiet" in part(page, "logs")
    assert link(page, "extract-0") == f"/runs/task-run/{task}"
    errors = link(page, "Errors")
    assert errors is not None
    shown = part(await pages.open(errors.partition("#")[0]), "logs")
    assert "loud" in shown
    assert "quiet" not in shown
    of_task = part(await pages.open(f"/runs/task-run/{task}"), "logs")
    assert "loud" in of_task
    assert "quiet" not in of_task


async def test_the_tail_gives_the_lines_that_came_later(api: Api, pages: Pages) -> None:
    run = await new_run(api)
    await log(api, run, {"message": "first"})
    page = (await pages.ask(f"/runs/flow-run/{run}")).text
    found = re.search(r'data-cursor="([^"]+)" data-src="([^"]+)"', page)
    assert found is not None
    await log(api, run, {"message": "second"})
    later = (await pages.ask(f"{found[2]}?after={found[1]}")).text
    assert "second" in later
    assert "first" not in later
    assert "data-final" not in later


async def test_a_long_log_is_read_in_pages_without_scripts(api: Api, pages: Pages) -> None:
    run = await new_run(api)
    await log(api, run, *({"message": f"line {number}."} for number in range(1100)))
    seen: list[str] = []
    path: str | None = f"/runs/flow-run/{run}"
    while path:
        page = await pages.open(path.partition("#")[0])
        seen += re.findall(r"line \d+\.", part(page, "logs"))
        path = link(page, "Later lines")
    assert seen == [f"line {number}." for number in range(1100)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/dashboard", "/"),
        ("/flow-runs", "/runs"),
        ("/flow-runs/flow-run/{id}", "/runs/flow-run/{id}"),
        ("/flow-runs/task-run/{id}", "/runs/task-run/{id}"),
    ],
)
async def test_addresses_of_earlier_versions_lead_on(pages: Pages, old: str, new: str) -> None:
    run_id = "0199b1c2-7d3e-7a41-9c55-2f6b8d0e4a17"
    answer = await pages.ask(old.format(id=run_id), status=308)
    assert answer.headers["location"] == new.format(id=run_id)
