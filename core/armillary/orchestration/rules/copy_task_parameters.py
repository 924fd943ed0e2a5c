"""A background task run finds its parameters wherever it is started."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Accept, Verdict


class BackgroundTaskRunsKeepTheirParameters(Rule):
    """The id of the stored parameters goes along until the task run is running."""

    rows = ("2.9b #2",)
    phase = Phase.REPLACE
    subjects = frozenset({"task_run"})
    policies = frozenset({"background"})
    initial = frozenset({StateType.SCHEDULED, StateType.PENDING})
    proposed = frozenset({StateType.PENDING, StateType.RUNNING})

    def decide(self, transition: Transition) -> Verdict:
        """Copy the id unless the proposal brings one."""
        initial, proposed = transition.initial, transition.proposed
        if initial is None or proposed.details.task_parameters_id is not None:
            return ACCEPT
        return Accept(proposed.detailed(task_parameters_id=initial.details.task_parameters_id))
