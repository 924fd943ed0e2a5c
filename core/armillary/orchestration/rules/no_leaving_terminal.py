"""What has ended can only run again, and not even that where its result would be lost."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import TERMINAL, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Reject, Verdict

_MEANINGLESS = frozenset({StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED})


class EndedFlowRunsOnlyRunAgain(Rule):
    """A flow run that has ended is not cancelled, paused or crashed any more.

    Nor does it run again when a completed run's result is kept, or when it would have to be
    scheduled without a deployment that somebody could start.  It may still end otherwise.
    """

    rows = ("2.4 #3", "2.4 #3b", "2.4 #3d")
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = TERMINAL
    after = frozenset({"TransitionsHappenOnce"})

    def decide(self, transition: Transition) -> Verdict:
        """Abort what is meaningless, keep what has a result."""
        initial, proposed = transition.initial, transition.proposed
        if initial is None:
            return ACCEPT
        if proposed.type in _MEANINGLESS:
            return Abort(f"Run is already in terminal state {initial.type}.")
        again = proposed.type not in TERMINAL
        if again and initial.type is StateType.COMPLETED and initial.persisted:
            return Reject("Run is already COMPLETED.")
        if proposed.type is StateType.SCHEDULED and transition.run.deployment_id is None:
            return Abort("Cannot reschedule a run without an associated deployment.")
        return ACCEPT


class EndedTaskRunsOnlyRunAgain(Rule):
    """A task run that has ended is not cancelled, paused or crashed any more.

    One that completed with a result that is kept stays as it is, whatever is proposed.
    """

    rows = ("2.9 #2",)
    phase = Phase.GUARD
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background"})
    initial = TERMINAL
    after = frozenset({"BackgroundTaskRunsAreClaimedOnce", "CachedStatesAreReused"})

    def decide(self, transition: Transition) -> Verdict:
        """Abort what is meaningless, keep what has a result."""
        initial, proposed = transition.initial, transition.proposed
        if initial is None:
            return ACCEPT
        if proposed.type in _MEANINGLESS:
            return Abort(f"Run is already {initial.type}.")
        if initial.type is StateType.COMPLETED and initial.persisted:
            return Reject("This run is already completed.")
        return ACCEPT
