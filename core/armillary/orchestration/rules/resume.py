"""A paused run goes on in time, or fails."""

from __future__ import annotations

import msgspec

from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import State, StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict


class PausedFlowRunsGoOnInTime(Rule):
    """From a pause a run goes on, is scheduled, is cancelled or ends, until the pause times out.

    Cancelling is always possible: the process of a blocking pause must hear of it.  Whatever was
    decided, the run counts as resuming from then on, so the next RUNNING is no new attempt.
    """

    rows = ("2.4 #12", "2.4.4 #1", "2.4.4 #2", "2.4.4 #3", "2.4.4 #4", "2.4.4 #5", "2.4.4 #6")
    phase = Phase.REPLACE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = frozenset({StateType.PAUSED})
    after = frozenset(
        {"RunningFlowRunsPauseOncePerKey", "RunsWithoutInfrastructureAreCancelledAtOnce"}
    )

    def decide(self, transition: Transition) -> Verdict:
        """Check the way out, then the deadline."""
        initial, proposed = transition.initial, transition.proposed
        if initial is None:
            return ACCEPT
        if proposed.type in {StateType.PENDING, StateType.PAUSED}:
            return Reject(f"A paused run cannot become {proposed.type}: resume or cancel it.")
        if initial.details.pause_reschedule and transition.run.deployment_id is None:
            return Reject("The run is suspended and has no deployment that could start it again.")
        deadline = initial.details.pause_timeout
        in_time = deadline is None or deadline >= transition.now
        if proposed.type is StateType.CANCELLING or in_time:
            return ACCEPT
        return Reject(
            "The time to resume this run is over.",
            propose(
                StateType.FAILED,
                message=f"The flow was {proposed.name.lower()} and never resumed.",
            ),
        )

    def afterwards(self, transition: Transition, written: State | None) -> RunChange | None:  # noqa: ARG002
        """Note that the run is resuming, after its attempts were counted."""
        return RunChange(policy=msgspec.structs.replace(transition.policy, resuming=True))
