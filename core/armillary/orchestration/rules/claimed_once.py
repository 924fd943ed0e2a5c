"""Of many workers that see the same run one gets it: PENDING is the claim."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import TERMINAL, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Accept, Verdict


class _ClaimedOnce(Rule):
    """A run that is claimed or under way already, or has ended, cannot be claimed.

    Whoever holds the claim may still say how far the start has come, by another name; the plain
    ``Pending`` is what a second worker would propose, so it is refused even then.
    """

    phase = Phase.GUARD
    initial = frozenset(
        {StateType.PENDING, StateType.CANCELLING, StateType.RUNNING, StateType.CANCELLED}
    )
    proposed = frozenset({StateType.PENDING})
    after = frozenset({"TransitionsHappenOnce", "CancellingRunsOnlyBecomeCancelled"})

    def decide(self, transition: Transition) -> Verdict:
        """Tell the holder's progress from another worker's claim."""
        initial, proposed = transition.initial, transition.proposed
        if initial is None:
            return ACCEPT
        if initial.type is not StateType.PENDING or proposed.name in {initial.name, "Pending"}:
            return Abort(
                f"This run is in a {initial.type} state and cannot transition to a PENDING state."
            )
        kept = initial.details
        return Accept(
            proposed.detailed(
                scheduled_time=kept.scheduled_time,
                deployment_concurrency_lease_id=kept.deployment_concurrency_lease_id,
            )
        )


class FlowRunsAreClaimedOnce(_ClaimedOnce):
    """Workers that see the same flow run do not start it twice, nor one that has ended since.

    Who wants an ended run to run again schedules it, or runs it.
    """

    rows = ("2.4 #6", "2.4 #6b")
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = _ClaimedOnce.initial | TERMINAL
    after = frozenset({*_ClaimedOnce.after, "EndedFlowRunsOnlyRunAgain"})


class BackgroundTaskRunsAreClaimedOnce(_ClaimedOnce):
    """Processes that serve the same task do not run one of its runs twice."""

    rows = ("2.9b #1",)
    subjects = frozenset({"task_run"})
    policies = frozenset({"background"})
