"""What many ask about one run at the same time is decided one after the other."""

import asyncio

import pytest

from armillary.core import Core
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import StateType, propose
from armillary.task_runs.creating import NewTaskRun
from armillary.task_runs.gate import TaskRunProposal
from tests.core.concurrency.deployed import PENDING, RUNNING, Deployed

MANY = 12


@pytest.mark.parametrize("slots", [None, 1, 5])
async def test_a_flow_run_is_claimed_once(core: Core, slots: int | None) -> None:
    deployed = Deployed(core)
    await deployed.create(slots)
    for _ in range(5):
        run = await deployed.run()
        answers = await asyncio.gather(*(deployed.put(run, PENDING) for _ in range(MANY)))
        verdicts = sorted(answer.status for answer in answers)
        assert verdicts == ["ABORT"] * (MANY - 1) + ["ACCEPT"]
        if slots is not None:
            assert await deployed.used() == 1
        await deployed.delete(run)


async def test_every_state_of_a_flow_run_follows_on_the_one_before(core: Core) -> None:
    deployed = Deployed(core)
    await deployed.create(1)
    run = await deployed.running()
    await asyncio.gather(*(deployed.put(run, RUNNING) for _ in range(MANY)))
    found = await core.database.read(None).one("select run_count from flow_run where id = ?", run)
    assert found is not None
    assert found[0] == 1 + MANY


async def test_a_batch_and_a_unit_that_meet_at_a_run_follow_on_each_other(core: Core) -> None:
    deployed = Deployed(core)
    await deployed.create(None)
    run = await deployed.running()
    proposal = FlowRunProposal(workspace=1, run_id=run, proposal=RUNNING)

    async def alone() -> None:
        await core.database.write(
            lambda unit: core.gate.set_flow_run_state_in(unit, proposal), workspace=1
        )

    await asyncio.gather(
        *(deployed.put(run, RUNNING) for _ in range(MANY)), *(alone() for _ in range(MANY))
    )
    found = await core.database.read(None).one("select run_count from flow_run where id = ?", run)
    assert found is not None
    assert found[0] == 1 + 2 * MANY


async def test_every_state_of_a_task_run_follows_on_the_one_before(core: Core) -> None:
    new = NewTaskRun(
        workspace=1, id=core.ids.uuid7(), name="t", flow_run_id=None, task_key="t",
        dynamic_key="0", proposal=propose(StateType.PENDING),
    )  # fmt: skip
    await core.gate.task_runs.create_task_run(new)
    again = TaskRunProposal(workspace=1, run_id=new.id, proposal=RUNNING)
    await asyncio.gather(*(core.gate.task_runs.set_task_run_state(again) for _ in range(MANY)))
    reader = core.database.read(None)
    found = await reader.one("select run_count from task_run where id = ?", new.id)
    assert found is not None
    assert found[0] == MANY
    states = await reader.all("select timestamp from task_run_state where task_run_id = ?", new.id)
    assert len({row[0] for row in states}) == MANY + 1
