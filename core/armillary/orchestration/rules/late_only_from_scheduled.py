"""Lateness is said once, of a run that still waits."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict


class OnlyScheduledRunsTurnLate(Rule):
    """Only a run that waits for its start can be late, and only once."""

    rows = ("2.4 #10", "2.7 #1")
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core", "late"})
    proposed = frozenset({StateType.SCHEDULED})
    after = frozenset(
        {"CancellingRunsOnlyBecomeCancelled", "EndedFlowRunsOnlyRunAgain", "TransitionsHappenOnce"}
    )

    def decide(self, transition: Transition) -> Verdict:
        """Look at what the run is late from; a run without a state is created late."""
        initial = transition.initial
        if transition.proposed.name != "Late" or initial is None:
            return ACCEPT
        if initial.type is not StateType.SCHEDULED:
            return Reject("Only scheduled runs can be marked late.")
        if initial.name == "Late":
            return Reject("This run is already marked late.")
        return ACCEPT
