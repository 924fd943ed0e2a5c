"""A run that somebody schedules is picked up by a worker."""

from __future__ import annotations

import msgspec

from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Accept, Verdict


class ScheduledRunsAreNotKeptFromWorkers(Rule):
    """Only a retry inside the process keeps workers away, and only as long as it lasts.

    The retry itself is a failure that was turned down, so this rule is never asked about it.
    """

    rows = ("2.5 #5",)
    phase = Phase.REPLACE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core", "minimal"})
    proposed = frozenset({StateType.SCHEDULED})
    after = frozenset({"FlowRunsThatRunAgainForgetTheirPauses", "PausedFlowRunsGoOnInTime"})

    def decide(self, transition: Transition) -> Verdict:
        """Forget a retry that somebody else has taken over."""
        if transition.policy.retry_type != "in_process":
            return ACCEPT
        policy = msgspec.structs.replace(transition.policy, retry_type=None)
        return Accept(change=RunChange(policy=policy))
