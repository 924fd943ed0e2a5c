"""The gate: load and lock, decide, write, announce, commit, then answer.

Flow runs enter by :meth:`Gate.set_flow_run_state` and :meth:`Gate.create_flow_run`; what has
queued is loaded, decided and written together.  A run whose rules need the store beyond what was
loaded (slots, a subflow's parent) goes through a unit of its own, by the same decision.
Services and actions that are inside a unit already use the ``_in`` methods.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from armillary.clock import Clock
from armillary.db.database import Database
from armillary.db.operation import Operation
from armillary.db.unit import Unit
from armillary.errors import RunNotFound
from armillary.flow_runs.creating import Created, CreateFlowRuns, NewFlowRun, insert_flow_runs
from armillary.flow_runs.loading import Loaded, load, with_parent
from armillary.flow_runs.writing import FlowRunWrite, write_policy, write_states
from armillary.ids import Ids
from armillary.orchestration.decision import Outcome, decide
from armillary.orchestration.derive import derive, policy_after, timestamp_after
from armillary.orchestration.driving import (
    Decided,
    afterwards,
    conclude,
    concluding,
    driven,
    moved,
    undo,
    unmoved,
)
from armillary.orchestration.policies import RunChange
from armillary.orchestration.policy import Policies
from armillary.orchestration.rule import PolicyName, UnitRule
from armillary.orchestration.states import Proposal, State, StateType
from armillary.orchestration.transition import Client, Limits, Transition
from armillary.task_runs.gate import TaskRunGate

UNKNOWN_CLIENT = Client()


class FlowRunProposal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants a flow run to have a state."""

    workspace: int
    run_id: str
    proposal: Proposal
    policy: PolicyName = "core"
    client: Client = UNKNOWN_CLIENT


class NeedsUnit(Exception):
    """This run's rules need the store: it goes through a unit of its own."""


_NEEDS_UNIT = NeedsUnit()


class Gate:
    """Where a run's state changes."""

    def __init__(  # noqa: PLR0913 - everything injected
        self,
        database: Database,
        policies: Policies,
        *,
        clock: Clock,
        ids: Ids,
        chance: random.Random,
        limits: Limits,
    ) -> None:
        self.database = database
        self.policies = policies
        self.clock = clock
        self.ids = ids
        self.chance = chance
        self.limits = limits
        self.task_runs = TaskRunGate(self)
        self._set = SetFlowRunStates(self)
        self._create = CreateFlowRuns(self)

    async def set_flow_run_state(self, request: FlowRunProposal) -> Decided:
        """Propose a state; RunNotFound if there is no such run in the workspace."""
        try:
            return await self.database.perform(self._set, request)
        except NeedsUnit:
            return await self.database.write(
                lambda unit: self.set_flow_run_state_in(unit, request), workspace=request.workspace
            )

    async def set_flow_run_state_in(self, unit: Unit, request: FlowRunProposal) -> Decided:
        """Propose a state inside a unit that is under way."""
        loaded = (await load(unit, [request.run_id])).get(request.run_id)
        if loaded is None or loaded.workspace != request.workspace:
            raise _not_found(request.run_id)
        if loaded.facts.parent_task_run_id is not None:
            loaded = await with_parent(unit, loaded)
        transition = self.transition(loaded, request, unit)
        policy = self.policies.of("flow_run", request.policy)
        outcome = await driven(decide(policy, transition), unit)
        await undo(outcome, unit)
        write, change = self.plan(loaded, transition, outcome)
        if write is None:
            await write_policy(unit, loaded.facts.id, change.policy)
            return unmoved(outcome, loaded.state)
        await write_states(unit, [write])
        await conclude(outcome, transition, write.state, unit)
        if retries(write.state, transition) and not request.client.retries_task_runs:
            await self.task_runs.retry_failed_in(
                unit, loaded.workspace, request.run_id, write.state
            )
        await self.mirror(unit, loaded, write.state)
        return moved(outcome, write.state)

    async def create_flow_run(self, new: NewFlowRun) -> Created:
        """Create a run with its initial state.

        With an idempotency key a run that exists is returned unchanged.  Raises Conflict if
        the flow is not there.
        """
        if new.parent_task_run_id is None:
            return await self.database.perform(self._create, new)
        return await self.database.write(
            lambda unit: self.create_flow_run_in(unit, new), workspace=new.workspace
        )

    async def create_flow_run_in(self, unit: Unit, new: NewFlowRun) -> Created:
        """Create a run inside a unit that is under way."""
        answer = (await insert_flow_runs(self, unit, [new]))[0]
        if isinstance(answer, Exception):
            raise answer
        if answer.created and new.parent_task_run_id is not None:
            loaded = (await load(unit, [answer.run_id]))[answer.run_id]
            if loaded.state is not None:
                await self.mirror(unit, loaded, loaded.state)
        return answer

    async def forget_in(self, unit: Unit, run_id: str, *, doomed: bool = False) -> bool:
        """Give back what a run holds that is about to be deleted; False if it is unknown.

        One that is doomed is known here alone.
        """
        loaded = (await load(unit, [run_id], doomed=doomed)).get(run_id)
        if loaded is None or loaded.workspace != unit.workspace:
            return False
        for rule in self.policies.of("flow_run", "core").rules:
            if isinstance(rule, UnitRule):
                await rule.forget(loaded.facts, loaded.state, unit)
        return True

    async def mirror(self, unit: Unit, loaded: Loaded, state: State) -> None:
        """Put a subflow run's state on the task run that stands for it in its parent."""
        parent = loaded.facts.parent_task_run_id
        if parent is not None:
            await self.task_runs.mirror_in(unit, parent, child=loaded.facts.id, state=state)

    def transition(self, loaded: Loaded, request: FlowRunProposal, unit: Unit) -> Transition:
        """Put together what rules look at."""
        return Transition(
            initial=loaded.state,
            proposed=request.proposal,
            now=unit.now,
            flow_run=loaded.facts,
            client=request.client,
            limits=self.limits,
            chance=self.chance.random(),
        )

    def plan(
        self, loaded: Loaded, transition: Transition, outcome: Outcome
    ) -> tuple[FlowRunWrite | None, RunChange]:
        """Turn an outcome into what is written; None if the run stays in its state."""
        facts = loaded.facts
        if outcome.state is None:
            return None, afterwards(outcome, transition, None, outcome.change)
        state = self.new_state(loaded.state, outcome.state, transition)
        client = transition.client
        columns = derive(facts, loaded.state, state, outcome.change, client=client)
        change = policy_after(facts, state, outcome.change, client=client)
        change = afterwards(outcome, transition, state, change)
        return FlowRunWrite(
            workspace=loaded.workspace,
            run_id=facts.id,
            context=loaded.context,
            initial=loaded.state,
            state=state,
            intended=transition.pair,
            columns=columns,
            before=facts,
            policy=change.policy,
        ), change

    def new_state(self, initial: State | None, proposed: Proposal, transition: Transition) -> State:
        """Give a decided state its id, its time and the ids of its runs."""
        run = transition.run
        return State(
            id=self.ids.uuid7(),
            type=proposed.type,
            name=proposed.name,
            timestamp=timestamp_after(initial, transition.now),
            message=proposed.message,
            data=proposed.data,
            details=msgspec.structs.replace(
                proposed.details,
                flow_run_id=run.id,
                task_run_id=run.parent_task_run_id,
            ),
        )


class SetFlowRunStates(Operation[FlowRunProposal, Decided]):
    """The hot operation: many runs loaded, decided and written together."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def key(self, request: FlowRunProposal) -> object:
        """Two proposals for one run are decided one after the other."""
        return request.run_id

    async def execute(
        self, unit: Unit, requests: Sequence[FlowRunProposal]
    ) -> Sequence[Decided | Exception]:
        """Decide and write all; runs whose rules need the store are answered by NeedsUnit."""
        loaded = await load(unit, [request.run_id for request in requests])
        answers: list[Decided | Exception] = []
        writes: list[FlowRunWrite] = []
        for request in requests:
            found = loaded.get(request.run_id)
            if found is None or found.workspace != request.workspace:
                answers.append(_not_found(request.run_id))
                continue
            decided, write = self._decide(unit, found, request)
            answers.append(decided)
            if write is not None:
                writes.append(write)
        if writes:
            await write_states(unit, writes)
        return answers

    def _decide(
        self, unit: Unit, found: Loaded, request: FlowRunProposal
    ) -> tuple[Decided | Exception, FlowRunWrite | None]:
        alone = request.client.retries_task_runs and found.facts.parent_task_run_id is None
        if not alone:
            return _NEEDS_UNIT, None
        transition = self._gate.transition(found, request, unit)
        try:
            next(decide(self._gate.policies.of("flow_run", request.policy), transition))
        except StopIteration as end:
            outcome: Outcome = end.value
        else:
            return _NEEDS_UNIT, None
        write, change = self._gate.plan(found, transition, outcome)
        if write is None:
            if change.policy is not None:
                return _NEEDS_UNIT, None
            return unmoved(outcome, found.state), None
        if concluding(outcome, transition, write.state):
            return _NEEDS_UNIT, None
        return moved(outcome, write.state), write


def retries(written: State, transition: Transition) -> bool:
    """Tell whether a failure was answered by another attempt."""
    return written.type is StateType.SCHEDULED and transition.proposed.type is StateType.FAILED


def _not_found(run_id: str) -> RunNotFound:
    return RunNotFound(f"Flow run with id {run_id} not found")
