"""A repeated request that arrives late does not undo what has happened since."""

from __future__ import annotations

from armillary.db.unit import Unit
from armillary.orchestration.rule import Phase, UnitRule
from armillary.orchestration.states import TERMINAL, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict

_MADE = "select 1 from flow_run_state where flow_run_id = ? and details like ? limit 1"


class EndedRunsAreNotMovedByLateRepetitions(UnitRule):
    """A run that ended, is paused or waits is not moved by a request that has moved it before.

    A client that was not answered asks again, perhaps another server; what it asked first may
    still be carried out when that server, or the network, wakes up.
    """

    rows = ("2.4 #2b",)
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = TERMINAL | {StateType.PAUSED, StateType.SCHEDULED}
    after = frozenset({"FlowRunsAreClaimedOnce", "OnlyScheduledRunsTurnLate"})

    def concerns(self, transition: Transition) -> bool:
        """Only with a transition id; what waits for its first start has not moved yet."""
        initial, proposed = transition.initial, transition.proposed
        if initial is None or proposed.details.transition_id is None:
            return False
        return initial.type is not StateType.SCHEDULED or proposed.type is StateType.RUNNING

    async def reserve(self, transition: Transition, unit: Unit) -> Verdict:
        """Look for its id among the states the run has had."""
        made = f'%"transition_id":"{transition.proposed.details.transition_id}"%'
        if await unit.one(_MADE, transition.run.id, made) is None:
            return ACCEPT
        return Reject("This run has already made this state transition.")
