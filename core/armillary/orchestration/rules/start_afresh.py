"""A run that has ended and runs again starts with a clean slate."""

from __future__ import annotations

import msgspec

from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import ANY, TERMINAL, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Accept, Verdict


class FlowRunsThatRunAgainForgetTheirPauses(Rule):
    """Leaving a terminal state clears the pauses, and says who runs it: a worker, or nobody yet.

    Clients that know nothing of pauses (API before 0.8.4) keep what is stored.
    """

    rows = ("2.4 #3e", "2.6 #3")
    phase = Phase.REPLACE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = TERMINAL
    proposed = ANY - TERMINAL

    def decide(self, transition: Transition) -> Verdict:
        """Reset what earlier attempts left in the policy; the run count stays."""
        if not transition.client.knows_pauses:
            return ACCEPT
        scheduled = transition.proposed.type is StateType.SCHEDULED
        policy = msgspec.structs.replace(
            transition.policy,
            resuming=False,
            pause_keys=[],
            retry_type="reschedule" if scheduled else None,
        )
        return Accept(change=RunChange(policy=policy))


class TaskRunsThatRunAgainCountFromZero(Rule):
    """Leaving a terminal state gives a task run all of its retries again.

    Its state is called ``Retrying`` where the flow run around it has begun another attempt.
    """

    rows = ("2.9 #2b",)
    phase = Phase.REPLACE
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background"})
    initial = TERMINAL
    proposed = ANY - TERMINAL

    def decide(self, transition: Transition) -> Verdict:
        """Reset the count, and name the attempt."""
        task, proposed = transition.task, transition.proposed
        from_zero = RunChange(run_count=0)
        retried = task.flow_run_found and task.flow_run_run_count < task.flow_run_count
        if proposed.type is StateType.RUNNING and retried:
            return Accept(msgspec.structs.replace(proposed, name="Retrying"), from_zero)
        return Accept(change=from_zero)
