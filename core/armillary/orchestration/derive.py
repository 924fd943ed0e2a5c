"""The columns of a run that follow from its new state.

Source: the table of derived columns in the Prefect 3 state model.  Durations are seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from armillary.orchestration.policies import RunChange
from armillary.orchestration.states import TERMINAL, State, StateType
from armillary.orchestration.transition import Client, FlowRunFacts, TaskRunFacts

_TICK = timedelta(microseconds=1)
_NEWEST = Client()


class DerivedColumns(msgspec.Struct, frozen=True, kw_only=True):
    """What is written to the run beside the state itself."""

    start_time: datetime | None
    end_time: datetime | None
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    total_run_time: float
    run_count: int


def timestamp_after(initial: State | None, now: datetime) -> datetime:
    """Give a new state a time later than its predecessor's, even if the clock went back."""
    if initial is None or now > initial.timestamp:
        return now
    return initial.timestamp + _TICK


def derive(
    run: FlowRunFacts | TaskRunFacts,
    initial: State | None,
    new: State,
    change: RunChange,
    *,
    client: Client = _NEWEST,
) -> DerivedColumns:
    """Compute the derived columns for ``new``; ``change`` is what rules changed already."""
    moment = new.timestamp
    was_running = initial is not None and initial.type is StateType.RUNNING
    return DerivedColumns(
        start_time=_start_time(run, new),
        end_time=_end_time(run, initial, new),
        expected_start_time=run.expected_start_time or _due(new) or moment,
        next_scheduled_start_time=_due(new),
        total_run_time=run.total_run_time
        + ((moment - initial.timestamp).total_seconds() if was_running and initial else 0.0),
        run_count=_run_count(run, new, change, client),
    )


def _due(new: State) -> datetime | None:
    if new.type is not StateType.SCHEDULED:
        return None
    return new.details.scheduled_time or new.timestamp


def _start_time(run: FlowRunFacts | TaskRunFacts, new: State) -> datetime | None:
    if run.start_time is not None:
        return run.start_time
    if new.type is StateType.RUNNING or (new.type in TERMINAL and run.end_time is None):
        return new.timestamp
    return None


def _end_time(
    run: FlowRunFacts | TaskRunFacts, initial: State | None, new: State
) -> datetime | None:
    if new.type in TERMINAL:
        return run.end_time or new.timestamp
    if initial is not None and initial.type in TERMINAL:
        return None
    return run.end_time


def _run_count(
    run: FlowRunFacts | TaskRunFacts, new: State, change: RunChange, client: Client
) -> int:
    count = run.run_count if change.run_count is None else change.run_count
    if new.type is not StateType.RUNNING:
        return count
    if isinstance(run, TaskRunFacts) or not client.knows_pauses:
        return count + 1
    return count if (change.policy or run.policy).resuming else count + 1


def policy_after(
    run: FlowRunFacts, new: State, change: RunChange, *, client: Client = _NEWEST
) -> RunChange:
    """Clear ``resuming`` on entering RUNNING or a terminal state."""
    policy = change.policy or run.policy
    if (
        client.knows_pauses
        and policy.resuming
        and (new.type is StateType.RUNNING or new.type in TERMINAL)
    ):
        cleared = msgspec.structs.replace(policy, resuming=False)
        return change.then(RunChange(policy=cleared))
    return change
