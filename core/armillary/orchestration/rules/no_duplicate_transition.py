"""A client that repeats a request it got no answer to does not move its run twice."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict


class TransitionsHappenOnce(Rule):
    """A proposal with the id of the transition that led to the current state is refused."""

    rows = ("2.4 #2",)
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})

    def decide(self, transition: Transition) -> Verdict:
        """Compare the two ids; a state without one is never a repetition."""
        if transition.initial is None:
            return ACCEPT
        made = transition.initial.details.transition_id
        if made is None or made != transition.proposed.details.transition_id:
            return ACCEPT
        return Reject("This run has already made this state transition.")
