"""A retry that the run's own process makes is not made by another one as well."""

from __future__ import annotations

from datetime import timedelta

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Verdict

_GONE_AFTER = timedelta(minutes=5)


class RetriesAreMadeByTheirProcess(Rule):
    """A run that waits for a retry in its process is claimed only once that is long overdue.

    Workers are not offered such a run, but who serves its deployment is, in each of his
    processes; and who was offered it before its first attempt may still believe it is free.
    A process that has not made its retry minutes after its time is taken for gone.
    """

    rows = ("2.4 #6c",)
    phase = Phase.GUARD
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    initial = frozenset({StateType.SCHEDULED})
    proposed = frozenset({StateType.PENDING})
    after = frozenset({"TransitionsHappenOnce"})

    def decide(self, transition: Transition) -> Verdict:
        """Compare the time of the retry with now."""
        initial = transition.initial
        if initial is None or transition.policy.retry_type != "in_process":
            return ACCEPT
        due = initial.details.scheduled_time
        if due is None or transition.now >= due + _GONE_AFTER:
            return ACCEPT
        return Abort("This run is retried by the process that ran it.")
