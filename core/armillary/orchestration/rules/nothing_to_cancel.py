"""A run that no process works on is cancelled at once, instead of waiting for somebody to do it."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict


class RunsWithoutInfrastructureAreCancelledAtOnce(Rule):
    """CANCELLING becomes CANCELLED for what has not started, is suspended or about to resume.

    A blocking pause keeps its process, and a run that waits for a retry may keep one too.
    """

    rows = ("2.4 #5", "2.4 #5b", "2.5 #2")
    phase = Phase.REPLACE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core", "minimal"})
    initial = frozenset({StateType.SCHEDULED, StateType.PAUSED})
    proposed = frozenset({StateType.CANCELLING})

    def decide(self, transition: Transition) -> Verdict:
        """Look for a process that could be told to stop."""
        initial = transition.initial
        if initial is None:
            return ACCEPT
        scheduled = initial.type is StateType.SCHEDULED
        unstarted = scheduled and not transition.run.infrastructure_pid
        if unstarted or initial.name == "Resuming":
            reason = "The run has no infrastructure that would have to be stopped."
        elif not scheduled and initial.details.pause_reschedule:
            reason = "The run is suspended and has no infrastructure that would have to be stopped."
        else:
            return ACCEPT
        return Reject(reason, propose(StateType.CANCELLED))
