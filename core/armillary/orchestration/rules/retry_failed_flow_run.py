"""A failure that may be retried is not the end."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateDetails, StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import Accept, Reject, Verdict


class FailedFlowRunsAreRetried(Rule):
    """A running flow run that fails waits for its next attempt while it has retries left.

    The process that ran it waits too and makes the attempt; ``in_process`` keeps workers away,
    and the lease of the slot goes along.  Once no retry is left a worker may be asked again.
    """

    rows = ("2.4 #15", "2.4 #15b", "2.6 #3")
    phase = Phase.REPLACE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = frozenset({StateType.RUNNING})
    proposed = frozenset({StateType.FAILED})

    def decide(self, transition: Transition) -> Verdict:
        """Compare the attempts made with those allowed: the first run is attempt 1."""
        policy, run = transition.policy, transition.run
        if policy.retries is None or run.run_count > policy.retries:
            spent = msgspec.structs.replace(policy, retry_type=None)
            return Accept(change=RunChange(policy=spent))
        change = None
        if transition.client.knows_pauses:
            retrying = msgspec.structs.replace(
                policy, resuming=False, pause_keys=[], retry_type="in_process"
            )
            change = RunChange(policy=retrying)
        failed, initial = transition.proposed, transition.initial
        state = propose(
            StateType.SCHEDULED,
            name="AwaitingRetry",
            message=failed.message,
            data=failed.data,
            details=StateDetails(
                scheduled_time=transition.now + timedelta(seconds=policy.retry_delay or 0),
                deployment_concurrency_lease_id=(
                    initial.details.deployment_concurrency_lease_id if initial else None
                ),
            ),
        )
        return Reject("Retrying", state, change)
