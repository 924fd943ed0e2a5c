"""A cancelled run takes what hangs below it along, and none stays Cancelling for ever."""

import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.services.loop import Done
from armillary.testing import ManualClock
from armillary_plugins.cancellation_cleanup.config import Config
from armillary_plugins.cancellation_cleanup.services import (
    CancelChildTaskRuns,
    CancelSubflowRuns,
    SeeToCancellations,
)
from tests.api import Api

REASON = "The parent flow run was cancelled."


async def task(api: Api, flow_run: str, key: str, kind: str) -> str:
    body = {
        "flow_run_id": flow_run, "task_key": "t", "dynamic_key": key, "name": key,
        "state": {"type": kind},
    }  # fmt: skip
    return (await api.post("/task_runs/", body, status=201))["id"]


async def test_unfinished_task_runs_of_cancelled_runs_are_cancelled(core: Core, api: Api) -> None:
    made = await api.deployment()
    cancelled, going = await api.run(made["id"]), await api.run(made["id"])
    tasks = {
        kind: await task(api, cancelled["id"], kind, kind)
        for kind in ("PENDING", "RUNNING", "SCHEDULED", "COMPLETED", "FAILED")
    }
    other = await task(api, going["id"], "o", "RUNNING")
    service = CancelChildTaskRuns(core, Config())
    assert await service.turn() == Done(found=0, changed=0)
    await api.set_state(cancelled["id"], "CANCELLED")
    assert await service.turn() == Done(found=3, changed=3)
    for kind, run in tasks.items():
        state = (await api.get(f"/task_runs/{run}"))["state"]
        if kind in {"COMPLETED", "FAILED"}:
            assert state["type"] == kind
        else:
            assert (state["type"], state["message"]) == ("CANCELLED", REASON)
    assert (await api.get(f"/task_runs/{other}"))["state_type"] == "RUNNING"
    assert await service.turn() == Done(found=0, changed=0)


async def test_parents_that_ended_long_ago_are_left_alone(
    core: Core, api: Api, clock: ManualClock
) -> None:
    run = await api.run((await api.deployment())["id"])
    await task(api, run["id"], "a", "RUNNING")
    await api.set_state(run["id"], "CANCELLED")
    await clock.advance(86400 + 60)
    assert await CancelChildTaskRuns(core, Config()).turn() == Done(found=0, changed=0)


@pytest.mark.parametrize(
    ("kind", "deployed", "becomes"),
    [
        ("RUNNING", False, "CANCELLED"), ("RUNNING", True, "CANCELLING"),
        ("SCHEDULED", False, "CANCELLED"), ("SCHEDULED", True, "CANCELLED"),
        ("PENDING", True, "CANCELLING"), ("COMPLETED", False, "COMPLETED"),
        ("CANCELLING", True, "CANCELLING"),
    ],
)  # fmt: skip
async def test_subflows_of_a_cancelled_run_are_cancelled_or_asked_to_end(
    core: Core, api: Api, kind: str, deployed: object, becomes: str
) -> None:
    made = await api.deployment()
    parent = await api.run(made["id"])
    dummy = await task(api, parent["id"], "sub", "PENDING")
    if deployed:
        child = await api.run(made["id"], parent_task_run_id=dummy)
    else:
        body = {
            "flow_id": made["flow_id"], "parent_task_run_id": dummy,
            "state": {"type": "SCHEDULED"},
        }  # fmt: skip
        child = await api.post("/flow_runs/", body, status=201)
    if kind == "CANCELLING":
        await api.set_state(child["id"], "RUNNING")
    if kind != "SCHEDULED":
        await api.set_state(child["id"], kind)
    service = CancelSubflowRuns(core, Config())
    assert await service.turn() == Done(found=0, changed=0)
    await api.set_state(parent["id"], "CANCELLED")
    done = await service.turn()
    assert done is not None
    assert done.changed == (kind != becomes)
    state = (await api.get(f"/flow_runs/{child['id']}"))["state"]
    assert state["type"] == becomes
    assert await service.turn() == Done(found=0, changed=0)


async def test_what_stands_for_a_subflow_run_is_cancelled_with_that_and_not_before(
    core: Core, api: Api
) -> None:
    made = await api.deployment()
    parent = await api.run(made["id"])
    dummy = await task(api, parent["id"], "sub", "PENDING")
    child = await api.run(made["id"], parent_task_run_id=dummy)
    await api.set_state(child["id"], "RUNNING")
    await api.set_state(child["id"], "CANCELLING")
    await api.set_state(parent["id"], "CANCELLED")
    service = CancelChildTaskRuns(core, Config())
    assert await service.turn() == Done(found=0, changed=0)
    assert (await api.get(f"/task_runs/{dummy}"))["state_type"] == "CANCELLING"
    await api.set_state(child["id"], "CANCELLED")
    assert (await api.get(f"/task_runs/{dummy}"))["state_type"] == "CANCELLED"


async def test_a_forgotten_cancellation_is_seen_to(core: Core, api: Api) -> None:
    made = await api.deployment()
    run = await api.run(made["id"])
    await api.set_state(run["id"], "RUNNING")
    await api.set_state(run["id"], "CANCELLING", force=False)
    service = SeeToCancellations(core, Config())
    assert await service.turn() == Done(found=0, changed=0), "it has its job from the beginning"

    async def forget(unit: Unit) -> None:
        await unit.run("delete from job")

    await core.database.write(forget, workspace=None)
    assert await service.turn() == Done(found=1, changed=1)
    assert await service.turn() == Done(found=0, changed=0)
