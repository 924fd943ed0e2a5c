"""Nothing starts early: the server's clock decides, not the client's."""

from __future__ import annotations

from datetime import datetime, timedelta

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Verdict, Wait

_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


class RunsStartAtTheirScheduledTime(Rule):
    """A run that wants to start before its scheduled time is told how long to wait."""

    rows = ("2.4 #14", "2.9 #6")
    phase = Phase.DELAY
    subjects = frozenset({"flow_run", "task_run"})
    policies = frozenset({"core", "background"})
    initial = frozenset({StateType.SCHEDULED, StateType.PENDING})
    proposed = frozenset({StateType.RUNNING})

    def decide(self, transition: Transition) -> Verdict:
        """Compare the state's scheduled time with now."""
        due = transition.initial.details.scheduled_time if transition.initial else None
        if due is None:
            return ACCEPT
        seconds = seconds_to_wait(due, transition.now)
        if seconds <= 0:
            return ACCEPT
        return Wait(seconds, "The scheduled time of the run is in the future.")


def seconds_to_wait(due: datetime, now: datetime) -> int:
    """Whole seconds until ``due``, for the wire knows no others; exactly half is rounded down."""
    whole, rest = divmod(due - now, _SECOND)
    return whole + round(rest / _MICROSECOND / 1_000_000)
