"""Task runs whose states are proposed over REST, and those that stand for a subflow."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from armillary.clock import from_micros, to_micros
from armillary.core import Core
from armillary.errors import Conflict, RunNotFound
from armillary.flow_runs.creating import NewFlowRun
from armillary.orchestration.driving import Decided
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.policies import TaskRunPolicy
from armillary.orchestration.states import Proposal, StateDetails, StateType, propose
from armillary.orchestration.transition import Client
from armillary.orchestration.verdicts import Status
from armillary.task_runs.creating import NewTaskRun
from armillary.task_runs.gate import TaskRunProposal, policy_for
from armillary.task_runs.repository import cached_state, store_cached_state
from armillary.testing import ManualClock
from tests.core.task_runs.clients import OTHER, WORKSPACE, a_flow_run, history, task_row, uuid

RUN = uuid(1)
PENDING = propose(StateType.PENDING)
RUNNING = propose(StateType.RUNNING)
COMPLETED = propose(StateType.COMPLETED)
FAILED = propose(StateType.FAILED)


def new(flow_run: str | None, **changes: Any) -> NewTaskRun:
    return NewTaskRun(
        **{
            "workspace": WORKSPACE,
            "id": RUN,
            "name": "say-0",
            "flow_run_id": flow_run,
            "task_key": "say",
            "dynamic_key": "0",
            "proposal": PENDING,
            **changes,
        }
    )


async def create(core: Core, flow_run: str | None, **changes: Any) -> tuple[str, bool]:
    return await core.gate.task_runs.create_task_run(new(flow_run, **changes))


async def put(
    core: Core, proposal: Proposal, *, force: bool = False, workspace: int = WORKSPACE
) -> Decided:
    return await core.gate.task_runs.set_task_run_state(
        TaskRunProposal(
            workspace=workspace,
            run_id=RUN,
            proposal=proposal,
            policy=policy_for(proposal, force=force),
        )
    )


async def row(core: Core, run_id: str = RUN) -> dict[str, Any]:
    found = await task_row(core, run_id)
    assert found is not None
    return found


async def test_a_run_is_created_pending_with_the_labels_of_its_flow_run(core: Core) -> None:
    flow_run = await a_flow_run(core)
    created = await create(core, flow_run, labels={"mine": msgspec.Raw(b"1")})
    assert created == (RUN, True)
    found = await row(core)
    assert (found["state_name"], found["run_count"]) == ("Pending", 0)
    labels = msgspec.json.decode(found["labels"])
    assert labels["team"] == "blue"
    assert labels["prefect.flow-run.id"] == flow_run
    assert labels["mine"] == 1
    assert found["expected_start_time"] == found["state_timestamp"]


@pytest.mark.parametrize("of_a_flow_run", [True, False])
async def test_the_natural_key_gives_the_run_that_exists(core: Core, of_a_flow_run: bool) -> None:  # noqa: FBT001
    flow_run = await a_flow_run(core) if of_a_flow_run else None
    await create(core, flow_run)
    assert await create(core, flow_run, id=uuid(2), proposal=RUNNING) == (RUN, False)
    assert (await row(core))["state_name"] == "Pending"
    assert await task_row(core, uuid(2)) is None


async def test_at_the_same_moment_one_of_two_creates_makes_the_run(core: Core) -> None:
    flow_run = await a_flow_run(core)
    answers = await asyncio.gather(
        *(create(core, flow_run, id=uuid(number)) for number in range(1, 9))
    )
    assert sorted(created for _, created in answers) == [False] * 7 + [True]
    assert len({run_id for run_id, _ in answers}) == 1


async def test_without_its_flow_run_a_run_is_not_created(core: Core) -> None:
    await a_flow_run(core, workspace=OTHER, number=2)
    for flow_run in (uuid(77), uuid(2002)):
        with pytest.raises(Conflict):
            await create(core, flow_run)
    assert await task_row(core, RUN) is None


async def test_an_id_that_is_taken_is_a_conflict(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await create(core, flow_run)
    with pytest.raises(Conflict):
        await create(core, flow_run, dynamic_key="1")


async def test_a_task_run_starts_only_while_its_flow_run_runs(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await create(core, flow_run)
    decided = await put(core, RUNNING)
    assert decided.status is Status.ACCEPT
    found = await row(core)
    assert (found["run_count"], found["flow_run_run_count"]) == (1, 1)
    assert found["start_time"] == found["state_timestamp"]
    assert decided.state is not None
    assert decided.state.details.task_run_id == RUN
    assert decided.state.details.flow_run_id == flow_run


async def test_a_task_run_of_a_paused_flow_run_is_not_ready(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await create(core, flow_run)
    paused = propose(StateType.PAUSED, details=StateDetails(pause_reschedule=False))
    await core.gate.set_flow_run_state(
        FlowRunProposal(workspace=WORKSPACE, run_id=flow_run, proposal=paused, policy="minimal")
    )
    decided = await put(core, RUNNING)
    assert decided.status is Status.REJECT
    assert decided.written
    assert (await row(core))["state_name"] == "NotReady"


async def test_a_task_run_with_retries_left_waits_for_its_next_attempt(
    core: Core, clock: ManualClock
) -> None:
    flow_run = await a_flow_run(core)
    await create(core, flow_run, empirical_policy=TaskRunPolicy(retries=1, retry_delay=5))
    await put(core, RUNNING)
    await clock.advance(2)
    decided = await put(core, FAILED)
    assert decided.status is Status.REJECT
    found = await row(core)
    assert found["state_name"] == "AwaitingRetry"
    assert found["total_run_time"] == pytest.approx(2, abs=0.001)
    waiting = await put(core, RUNNING)
    assert (waiting.status, waiting.written) == (Status.WAIT, False)
    await clock.advance(5)
    assert (await put(core, RUNNING)).status is Status.ACCEPT
    await clock.advance(1)
    assert (await put(core, FAILED)).status is Status.ACCEPT
    assert (await row(core))["run_count"] == 2


async def test_by_force_every_state_is_taken(core: Core) -> None:
    await create(core, await a_flow_run(core))
    await put(core, COMPLETED)
    assert (await put(core, propose(StateType.CANCELLING))).status is Status.ABORT
    assert (await put(core, propose(StateType.CANCELLING), force=True)).status is Status.ACCEPT


async def test_times_of_states_ascend_even_when_the_clock_stands(core: Core) -> None:
    await create(core, await a_flow_run(core))
    for _ in range(3):
        await put(core, RUNNING)
    times = await core.database.read(None).all(
        "select timestamp from task_run_state where task_run_id = ? order by timestamp", RUN
    )
    assert len({time for (time,) in times}) == 4
    assert (await row(core))["state_timestamp"] == times[-1][0]


async def test_a_background_task_run_is_claimed_once_even_by_force(core: Core) -> None:
    deferred = StateDetails(deferred=True)
    scheduled = propose(StateType.SCHEDULED, details=deferred)
    await create(core, None, proposal=scheduled)
    claim = propose(StateType.PENDING, details=deferred)
    assert (await put(core, claim)).status is Status.ACCEPT
    assert (await put(core, claim, force=True)).status is Status.ABORT


async def test_a_run_of_another_workspace_is_not_there(core: Core) -> None:
    await create(core, await a_flow_run(core))
    with pytest.raises(RunNotFound):
        await put(core, RUNNING, workspace=OTHER)
    with pytest.raises(RunNotFound):
        await core.gate.task_runs.set_task_run_state(
            TaskRunProposal(workspace=WORKSPACE, run_id=uuid(9), proposal=RUNNING)
        )


async def a_subflow_run(core: Core, parent: str, *, workspace: int = WORKSPACE) -> str:
    flow_id = uuid(1001) if workspace == WORKSPACE else uuid(1002)
    await core.gate.create_flow_run(
        NewFlowRun(
            workspace=workspace,
            id=uuid(50),
            name="a subflow",
            flow_id=flow_id,
            proposal=PENDING,
            parent_task_run_id=parent,
        )
    )
    return uuid(50)


async def test_a_subflow_runs_state_is_copied_to_the_task_run_that_stands_for_it(
    core: Core,
) -> None:
    await create(core, await a_flow_run(core))
    child = await a_subflow_run(core, RUN)
    proposal = propose(StateType.COMPLETED, name="Fine", message="all", data=msgspec.Raw(b"[1]"))
    decided = await core.gate.set_flow_run_state(
        FlowRunProposal(workspace=WORKSPACE, run_id=child, proposal=proposal)
    )
    assert decided.state is not None
    found = await row(core)
    assert (found["state_type"], found["state_name"]) == ("COMPLETED", "Fine")
    assert found["state_id"] != decided.state.id
    state = await core.database.read(None).one(
        "select message, data, details from task_run_state where id = ?", found["state_id"]
    )
    assert state is not None
    assert (state[0], state[1]) == ("all", "[1]")
    details = msgspec.json.decode(state[2])
    assert details["child_flow_run_id"] == child
    assert details["task_run_id"] == RUN
    assert details["flow_run_id"] == uuid(2001)


@pytest.mark.parametrize(("api", "state"), [((0, 8, 2), "AwaitingRetry"), (None, "Failed")])
async def test_a_retried_flow_run_takes_failed_task_runs_along_for_old_clients(
    core: Core, api: tuple[int, ...] | None, state: str
) -> None:
    flow_run = await a_flow_run(core)
    await core.database.write(
        lambda unit: unit.run(
            "update flow_run set empirical_policy = ? where id = ?",
            '{"retries": 1, "retry_delay": 5}', flow_run,
        ),
        workspace=WORKSPACE,
    )  # fmt: skip
    await create(core, flow_run)
    await put(core, RUNNING)
    await put(core, FAILED)
    decided = await core.gate.set_flow_run_state(
        FlowRunProposal(
            workspace=WORKSPACE, run_id=flow_run, proposal=FAILED, client=Client(api=api)
        )
    )
    assert decided.state is not None
    assert decided.state.name == "AwaitingRetry"
    found = await row(core)
    assert (found["state_name"], found["run_count"]) == (state, 0 if api else 1)


async def test_a_subflow_of_a_task_run_that_is_gone_goes_on(core: Core) -> None:
    await a_flow_run(core)
    child = await a_subflow_run(core, uuid(404))
    decided = await core.gate.set_flow_run_state(
        FlowRunProposal(workspace=WORKSPACE, run_id=child, proposal=RUNNING)
    )
    assert decided.status is Status.ACCEPT


async def test_a_subflow_of_another_workspace_changes_nothing_here(core: Core) -> None:
    await create(core, await a_flow_run(core))
    await a_flow_run(core, workspace=OTHER, number=2)
    before = await row(core)
    await a_subflow_run(core, RUN, workspace=OTHER)
    assert await row(core) == before
    assert len(await history(core, RUN)) == 1


async def test_a_completed_state_is_reused_under_its_key(core: Core) -> None:
    flow_run = await a_flow_run(core)
    keyed = StateDetails(cache_key="k" * 1500)
    await create(core, flow_run)
    await put(core, RUNNING)
    done = propose(StateType.COMPLETED, data=msgspec.Raw(b'{"type":"x"}'), details=keyed)
    await put(core, done)
    await create(core, flow_run, id=uuid(2), dynamic_key="1")
    decided = await core.gate.task_runs.set_task_run_state(
        TaskRunProposal(
            workspace=WORKSPACE,
            run_id=uuid(2),
            proposal=propose(StateType.RUNNING, details=keyed),
        )
    )
    assert decided.status is Status.REJECT
    assert decided.state is not None
    assert (decided.state.name, bytes(decided.state.data or b"")) == ("Cached", b'{"type":"x"}')
    assert decided.state.details.task_run_id == uuid(2)


async def test_a_cached_state_expires_and_stays_in_its_workspace(
    core: Core, clock: ManualClock
) -> None:
    await create(core, await a_flow_run(core))
    state_id = (await row(core))["state_id"]

    async def found(workspace: int) -> str | None:
        async def look(unit: Any) -> str | None:
            state = await cached_state(unit, "key", unit.now)
            return state.id if state else None

        return await core.database.write(look, workspace=workspace)

    expires = to_micros(clock.now()) + 5_000_000
    await core.database.write(
        lambda unit: store_cached_state(unit, "key", from_micros(expires), state_id),
        workspace=WORKSPACE,
    )
    assert await found(WORKSPACE) == state_id
    assert await found(OTHER) is None
    await clock.advance(5)
    assert await found(WORKSPACE) is None
