"""Task runs that are proposed over REST hold a slot of each of their tags while they run."""

import pytest

from armillary.concurrency import leases, limits
from armillary.concurrency.leases import Holder
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.orchestration.driving import Decided
from armillary.orchestration.states import Proposal, StateType, propose
from armillary.orchestration.verdicts import Status
from armillary.task_runs import repository
from armillary.task_runs.creating import NewTaskRun
from armillary.task_runs.gate import TaskRunProposal
from armillary.testing import ManualClock
from tests.core.concurrency.deployed import COMPLETED, PENDING, RUNNING, Deployed


class Tagged:
    """Task runs with the tag `db`, of which one may run, in a running flow run."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.flow_run = ""

    async def create(self) -> None:
        deployed = Deployed(self.core)
        await deployed.create(None)
        self.flow_run = await deployed.running()

        async def limit(unit: Unit) -> None:
            await limits.insert(unit, limits.new_limit("l", "tag:db", 1, unit.micros))

        await self.core.database.write(limit, workspace=1)

    async def run(self) -> str:
        run_id = self.core.ids.uuid7()
        new = NewTaskRun(
            workspace=1, id=run_id, name="t", flow_run_id=self.flow_run, task_key="t",
            dynamic_key=run_id, proposal=PENDING, tags=("db",),
        )  # fmt: skip
        await self.core.gate.task_runs.create_task_run(new)
        return run_id

    async def put(self, run_id: str, proposal: Proposal) -> Decided:
        return await self.core.gate.task_runs.set_task_run_state(
            TaskRunProposal(workspace=1, run_id=run_id, proposal=proposal)
        )

    async def used(self) -> int:
        found = await limits.read(self.core.database.read(1), "l")
        assert found is not None
        return found.active_slots


@pytest.fixture
async def tagged(core: Core) -> Tagged:
    made = Tagged(core)
    await made.create()
    return made


async def test_who_finds_a_tag_full_waits_and_runs_once_it_is_free(tagged: Tagged) -> None:
    first, second = await tagged.run(), await tagged.run()
    assert (await tagged.put(first, RUNNING)).status is Status.ACCEPT
    waits = await tagged.put(second, RUNNING)
    assert (waits.status, waits.written) == (Status.WAIT, False)
    assert await tagged.used() == 1
    await tagged.put(first, COMPLETED)
    assert (await tagged.put(second, RUNNING)).status is Status.ACCEPT
    await tagged.put(second, propose(StateType.FAILED))
    assert await tagged.used() == 0


async def test_deleting_a_task_run_gives_back_what_it_holds(tagged: Tagged) -> None:
    run_id = await tagged.run()
    await tagged.put(run_id, RUNNING)
    assert await tagged.used() == 1
    await tagged.core.database.write(
        lambda unit: repository.delete(unit, run_id, tagged.core.deletions), workspace=1
    )
    assert await tagged.used() == 0


async def test_deleting_a_flow_run_gives_back_what_its_task_runs_hold(tagged: Tagged) -> None:
    await tagged.put(await tagged.run(), RUNNING)
    await tagged.core.database.write(
        lambda unit: tagged.core.deletions.delete_flow_run(unit, tagged.flow_run), workspace=1
    )
    assert await tagged.used() == 0


async def test_slots_without_an_end_are_found_once_their_holder_has_ended(
    tagged: Tagged, clock: ManualClock
) -> None:
    run = await tagged.run()
    await tagged.put(run, RUNNING)
    reader = tagged.core.database.read(None)
    now = clock.micros()
    assert await leases.abandoned(reader, now + 1, limit=9) == []

    async def end_by_event(unit: Unit) -> None:
        await unit.run("update task_run set state_type = 'COMPLETED' where id = ?", run)

    await tagged.core.database.write(end_by_event, workspace=1)
    [held] = await leases.of_holder(tagged.core.database.read(1), Holder("task_run", run))
    assert await leases.abandoned(reader, now - 1, limit=9) == [(held.id, 1)]


async def test_slots_of_a_holder_nobody_knows_are_found_after_a_time(
    tagged: Tagged, clock: ManualClock
) -> None:
    run = await tagged.run()
    await tagged.put(run, RUNNING)

    async def delete(unit: Unit) -> None:
        await unit.run("delete from task_run where id = ?", run)

    await tagged.core.database.write(delete, workspace=1)
    reader, now = tagged.core.database.read(None), clock.micros()
    assert await leases.abandoned(reader, now, limit=9) == []
    assert len(await leases.abandoned(reader, now + 1, limit=9)) == 1
