"""The gate's part for task runs: states proposed over REST, and a subflow's state in its parent.

The states that clients report as events are recorded without a decision: see
:mod:`armillary.task_runs.recording`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from armillary.db.unit import Unit
from armillary.errors import Conflict, RunNotFound
from armillary.orchestration.decision import Outcome, decide
from armillary.orchestration.derive import derive, timestamp_after
from armillary.orchestration.driving import (
    Decided,
    afterwards,
    conclude,
    driven,
    moved,
    undo,
    unmoved,
)
from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import PolicyName
from armillary.orchestration.states import Proposal, State, StateDetails
from armillary.orchestration.transition import Client, Transition
from armillary.task_runs.background import queue
from armillary.task_runs.creating import NewTaskRun, find_existing, insert_task_run
from armillary.task_runs.loading import Loaded, load
from armillary.task_runs.writing import TaskRunWrite, write_counts, write_state

if TYPE_CHECKING:
    from armillary.orchestration.engine import Gate

UNKNOWN_CLIENT = Client()
_FAILED_OF_FLOW_RUN = """
select id from task_run where flow_run_id = ? and workspace = ? and state_type = 'FAILED'
order by id
"""
_SAME_WORKSPACE = """
select 1 from task_run t join flow_run f on f.workspace = t.workspace where t.id = ? and f.id = ?
"""


class TaskRunProposal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants a task run to have a state."""

    workspace: int
    run_id: str
    proposal: Proposal
    policy: PolicyName = "core"
    client: Client = UNKNOWN_CLIENT


def policy_for(proposal: Proposal, *, force: bool) -> PolicyName:
    """Name the policy for a proposal; one of a background task keeps its own even by force."""
    if proposal.details.deferred:
        return "background"
    return "minimal" if force else "core"


class TaskRunGate:
    """Where a task run's state changes by decision."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def set_task_run_state(self, request: TaskRunProposal) -> Decided:
        """Propose a state; RunNotFound if there is no such run in the workspace."""
        return await self._gate.database.write(
            lambda unit: self.set_task_run_state_in(unit, request), workspace=request.workspace
        )

    async def set_task_run_state_in(self, unit: Unit, request: TaskRunProposal) -> Decided:
        """Propose a state inside a unit that is under way."""
        loaded = await load(unit, request.run_id)
        if loaded is None or loaded.workspace != request.workspace:
            message = f"Task run with id {request.run_id} not found"
            raise RunNotFound(message)
        transition = self.transition(loaded, request, unit)
        outcome = await driven(
            decide(self._gate.policies.of("task_run", request.policy), transition), unit
        )
        await undo(outcome, unit)
        write, change = self.plan(loaded, transition, outcome)
        if write is None:
            await _keep_state(unit, loaded, change)
            return unmoved(outcome, loaded.state)
        await write_state(unit, write)
        await queue.follow(unit, loaded, write.state)
        await conclude(outcome, transition, write.state, unit)
        return moved(outcome, write.state)

    async def create_task_run(self, new: NewTaskRun) -> tuple[str, bool]:
        """Create a run with its initial state; return its id and whether it is new.

        A run that exists by its natural key is returned unchanged.  Raises Conflict if the flow
        run is not there, or the id is taken by another run.
        """
        return await self._gate.database.write(
            lambda unit: self.create_task_run_in(unit, new), workspace=new.workspace
        )

    async def create_task_run_in(self, unit: Unit, new: NewTaskRun) -> tuple[str, bool]:
        """Create a run inside a unit that is under way."""
        existing = await find_existing(unit, new)
        if existing is None and not await insert_task_run(unit, new):
            existing = await find_existing(unit, new)
            if existing is None:
                raise Conflict
        if existing is not None:
            return existing, False
        await self.set_task_run_state_in(
            unit,
            TaskRunProposal(
                workspace=new.workspace,
                run_id=new.id,
                proposal=new.proposal,
                policy=policy_for(new.proposal, force=True),
                client=new.client,
            ),
        )
        return new.id, True

    async def mirror_in(self, unit: Unit, task_run_id: str, *, child: str, state: State) -> None:
        """Put a copy of a subflow run's state on the task run that stands for it.

        Nothing happens if that task run is gone, or is of another workspace than the subflow run.
        """
        if await unit.one(_SAME_WORKSPACE, task_run_id, child) is None:
            return
        loaded = await load(unit, task_run_id)
        if loaded is None:
            return
        copy = Proposal(
            type=state.type,
            name=state.name,
            message=state.message,
            data=state.data,
            details=msgspec.structs.replace(state.details, child_flow_run_id=child),
        )
        await self.set_task_run_state_in(
            unit,
            TaskRunProposal(
                workspace=loaded.workspace, run_id=task_run_id, proposal=copy, policy="minimal"
            ),
        )

    async def retry_failed_in(
        self, unit: Unit, workspace: int, flow_run_id: str, state: State
    ) -> None:
        """Let every failed task run wait for its flow run's next attempt, which ``state`` is."""
        waiting = Proposal(
            type=state.type,
            name=state.name,
            message=state.message,
            details=StateDetails(scheduled_time=state.details.scheduled_time),
        )
        for (run_id,) in await unit.all(_FAILED_OF_FLOW_RUN, flow_run_id, workspace):
            await self.set_task_run_state_in(
                unit,
                TaskRunProposal(
                    workspace=workspace, run_id=run_id, proposal=waiting, policy="minimal"
                ),
            )
            loaded = await load(unit, run_id)
            if loaded is not None:
                counted = loaded.facts.flow_run_run_count
                await write_counts(unit, run_id, run_count=0, flow_run_run_count=counted)

    def transition(self, loaded: Loaded, request: TaskRunProposal, unit: Unit) -> Transition:
        """Put together what rules look at."""
        return Transition(
            initial=loaded.state,
            proposed=request.proposal,
            now=unit.now,
            task_run=loaded.facts,
            client=request.client,
            limits=self._gate.limits,
            chance=self._gate.chance.random(),
        )

    def plan(
        self, loaded: Loaded, transition: Transition, outcome: Outcome
    ) -> tuple[TaskRunWrite | None, RunChange]:
        """Turn an outcome into what is written; None if the run stays in its state."""
        facts = loaded.facts
        if outcome.state is None:
            return None, afterwards(outcome, transition, None, outcome.change)
        state = self._new_state(loaded.state, outcome.state, transition)
        columns = derive(facts, loaded.state, state, outcome.change)
        change = afterwards(outcome, transition, state, outcome.change)
        counted = change.flow_run_run_count
        write = TaskRunWrite(
            run_id=facts.id,
            state=state,
            columns=columns,
            flow_run_run_count=facts.flow_run_run_count if counted is None else counted,
        )
        return write, change

    def _new_state(
        self, initial: State | None, proposed: Proposal, transition: Transition
    ) -> State:
        """Give a decided state its id, its time and the ids of its runs."""
        task = transition.task
        return State(
            id=self._gate.ids.uuid7(),
            type=proposed.type,
            name=proposed.name,
            timestamp=timestamp_after(initial, transition.now),
            message=proposed.message,
            data=proposed.data,
            details=msgspec.structs.replace(
                proposed.details, flow_run_id=task.flow_run_id, task_run_id=task.id
            ),
        )


async def _keep_state(unit: Unit, loaded: Loaded, change: RunChange) -> None:
    """Store what a refusal changed on the run that stays in its state."""
    if change.run_count is None and change.flow_run_run_count is None:
        return
    facts = loaded.facts
    await write_counts(
        unit,
        facts.id,
        run_count=facts.run_count if change.run_count is None else change.run_count,
        flow_run_run_count=(
            facts.flow_run_run_count
            if change.flow_run_run_count is None
            else change.flow_run_run_count
        ),
    )
