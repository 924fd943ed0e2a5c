"""A result that somebody can still read is not lost to a late or repeated report."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict


class KeptResultsAreNotOverwritten(Rule):
    """Completed with a result is not replaced by completed without one, not even by force."""

    rows = ("2.4 #3c", "2.5 #1")
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core", "minimal"})
    initial = frozenset({StateType.COMPLETED})
    proposed = frozenset({StateType.COMPLETED})
    after = frozenset({"TransitionsHappenOnce"})

    def decide(self, transition: Transition) -> Verdict:
        """Compare whether the two states refer to results."""
        initial = transition.initial
        if initial is None or not initial.persisted or transition.proposed.persisted:
            return ACCEPT
        return Reject("The run is completed with a result, which this state would lose.")
