"""A claimed run still knows when it is due."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Accept, Verdict


class PendingRunsKeepTheirScheduledTime(Rule):
    """The scheduled time goes along from SCHEDULED to PENDING unless another is given."""

    rows = ("2.4 #13", "2.9 #5")
    phase = Phase.REPLACE
    subjects = frozenset({"flow_run", "task_run"})
    policies = frozenset({"core", "background"})
    initial = frozenset({StateType.SCHEDULED})
    proposed = frozenset({StateType.PENDING})

    def decide(self, transition: Transition) -> Verdict:
        """Copy the time."""
        initial, proposed = transition.initial, transition.proposed
        if initial is None or proposed.details.scheduled_time is not None:
            return ACCEPT
        return Accept(proposed.detailed(scheduled_time=initial.details.scheduled_time))
