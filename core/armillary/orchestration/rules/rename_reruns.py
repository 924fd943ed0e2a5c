"""People see from a state's name that it is not the first attempt."""

from __future__ import annotations

import msgspec

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Accept, Verdict


class LaterAttemptsAreNamedSo(Rule):
    """RUNNING after a first attempt is called ``Retrying`` or ``Rerunning``."""

    rows = ("2.9 #8",)
    phase = Phase.REPLACE
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background"})
    proposed = frozenset({StateType.RUNNING})
    after = frozenset({"TaskRunsThatRunAgainCountFromZero"})

    def decide(self, transition: Transition) -> Verdict:
        """Name the attempt by how it came about."""
        initial, count = transition.initial, transition.change.run_count
        attempts = transition.task.run_count if count is None else count
        if initial is None or attempts == 0:
            return ACCEPT
        name = "Retrying" if initial.name == "AwaitingRetry" else "Rerunning"
        return Accept(msgspec.structs.replace(transition.proposed, name=name))
