"""Who is being cancelled does not get away by finishing."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import ANY, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import Reject, Verdict


class CancellingRunsOnlyBecomeCancelled(Rule):
    """From CANCELLING every proposal but CANCELLED is refused, another CANCELLING too."""

    rows = ("2.4 #4",)
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = frozenset({StateType.CANCELLING})
    proposed = ANY - {StateType.CANCELLED}
    after = frozenset({"TransitionsHappenOnce"})

    def decide(self, transition: Transition) -> Verdict:  # noqa: ARG002 - the types say it all
        """Refuse."""
        return Reject("The run is being cancelled: Cancelled is all it can become.")
