"""A slot is given back by whatever ends its use, and only then."""

from __future__ import annotations

from armillary.concurrency import deployments, tags
from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.states import TERMINAL, State, StateType
from armillary.orchestration.transition import FlowRunFacts, Transition

_UNDER_WAY = frozenset({StateType.PENDING, StateType.RUNNING, StateType.CANCELLING})
# Between two attempts in one process a run is scheduled, and holds on to its slot.
_HOLDING = _UNDER_WAY | {StateType.PAUSED, StateType.SCHEDULED}


class RunsThatStopGiveTheirSlotBack(UnitRule):
    """A run that is not under way any more holds no slot of its deployment.

    It is under way as long as its process is: through a retry in that process and through a pause
    that it waits for.  What it holds is found by its lease, so that nothing is given back twice,
    nor what a limit that was changed meanwhile never gave.
    """

    rows = ("2.4 #17", "2.4.5 #1", "2.4.5 #2", "2.4.5 #3", "2.4.5 #4", "2.4.5 #5", "2.5 #4")
    phase = Phase.RELEASE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core", "minimal"})
    universal = True

    def concludes(self, transition: Transition, written: State) -> bool:
        """Only where something may be held, by the state's lease or by the limit."""
        initial = transition.initial
        if initial is None or initial.type in TERMINAL or _goes_on(transition, written):
            return False
        if initial.details.deployment_concurrency_lease_id is not None:
            return True
        return transition.run.deployment_limit is not None and initial.type in _HOLDING

    async def conclude(self, transition: Transition, written: State, unit: Unit) -> None:  # noqa: ARG002
        """Give it back."""
        await deployments.given_back(transition.run, transition.initial, unit)

    async def forget(self, run: FlowRunFacts, state: State | None, unit: Unit) -> None:
        """Give back what a run that is deleted holds, and what its task runs hold."""
        await deployments.given_back(run, state, unit)
        await tags.give_back_of_flow_run(unit, run.id)


def _goes_on(transition: Transition, written: State) -> bool:
    """Tell whether the run's process is still there, or about to be."""
    if written.type in _UNDER_WAY:
        return True
    if written.type is StateType.PAUSED:
        return not written.details.pause_reschedule
    return written.type is StateType.SCHEDULED and transition.proposed.type is StateType.FAILED
