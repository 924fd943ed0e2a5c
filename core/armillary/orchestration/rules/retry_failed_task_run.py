"""A task that may be retried is not failed yet."""

from __future__ import annotations

import math
from datetime import timedelta

from armillary.orchestration.policies import TaskRunPolicy
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateDetails, StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Reject, Verdict

_WIDE = 50
"""From this multiple of the mean on the lower bound is so near to zero that it is zero."""


class FailedTaskRunsAreRetried(Rule):
    """A running task run that fails waits for its next attempt while it has retries left.

    Unless the client says that this failure is not worth another attempt.
    """

    rows = ("2.9 #7",)
    phase = Phase.REPLACE
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background"})
    initial = frozenset({StateType.RUNNING})
    proposed = frozenset({StateType.FAILED})

    def decide(self, transition: Transition) -> Verdict:
        """Compare the attempts made with those allowed: the first run is attempt 1."""
        task, failed = transition.task, transition.proposed
        retries = task.policy.retries
        if failed.details.retriable is False or retries is None or task.run_count > retries:
            return ACCEPT
        seconds = retry_delay(task.policy, task.run_count, transition.chance)
        return Reject(
            "Retrying",
            propose(
                StateType.SCHEDULED,
                name="AwaitingRetry",
                message=failed.message,
                data=failed.data,
                details=StateDetails(scheduled_time=transition.now + timedelta(seconds=seconds)),
            ),
        )


def retry_delay(policy: TaskRunPolicy, run_count: int, chance: float) -> float:
    """Seconds until the attempt after number ``run_count``."""
    delay = policy.retry_delay or 0
    if isinstance(delay, list):
        delay = delay[max(0, min(run_count - 1, len(delay) - 1))]
    if not policy.retry_jitter_factor or delay <= 0:
        return max(delay, 0)
    return spread(delay, policy.retry_jitter_factor, chance)


def spread(mean: float, factor: float, chance: float) -> float:
    """Draw from an exponential distribution around ``mean``, cut off on both sides.

    Nothing comes out above ``mean * (1 + factor)``; the lower bound rises as the upper one
    falls, which keeps the mean about where it is.
    """
    top = 1 + factor
    bottom = math.log2(2**top / (2**top - 1)) if top < _WIDE else 0.0
    low, high = 1 - math.exp(-bottom), 1 - math.exp(-top)
    drawn = low + chance * (high - low)
    return min(max(-math.log(max(1 - drawn, 1e-10)), bottom), top) * mean
