"""Rows of the database as what the templates show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.orchestration.policies import TaskRunPolicy
from armillary_plugins.logs.schemas import Log
from armillary_plugins.ui.schemas import (
    LogLine,
    RunDetail,
    RunRow,
    StateRow,
    TaskRunDetail,
    TaskRunRow,
)
from armillary_web.timeline import Segment, Span, segments

_LONGEST = 1500
"""Characters of parameters that go into an address."""
FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_LEVELS = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"), (10, "DEBUG"))

_tags = msgspec.json.Decoder(tuple[str, ...]).decode
_policy = msgspec.json.Decoder(TaskRunPolicy).decode


class _Creator(msgspec.Struct, frozen=True):
    """Who created a run."""

    type: str | None = None
    display_value: str | None = None


_creator = msgspec.json.Decoder(_Creator).decode


class Running(msgspec.Struct, frozen=True):
    """How long a run has run: seconds, and from when it ticks on."""

    duration: float | None
    since: datetime | None


def running(
    state_type: str | None, entered: int | None, start: int | None, total: float, *, now: int
) -> Running:
    """Tell how long a run has run; ``entered`` is when it came into its present state."""
    if state_type == "RUNNING" and entered is not None:
        return Running(
            max(0.0, total + (now - entered) / 1e6),
            from_micros(entered) - timedelta(seconds=total),
        )
    return Running(None if start is None else total, None)


def run_row(row: Sequence[Any], *, now: int) -> RunRow:
    """Shape a row of the list of flow runs."""
    time = running(row[2], row[10], row[9], row[11], now=now)
    return RunRow(
        id=row[0],
        name=row[1],
        state_type=row[2],
        state_name=row[3],
        flow_id=row[4],
        flow_name=row[5] or "deleted flow",
        deployment_id=row[6],
        deployment_name=row[7],
        expected_start_time=maybe_moment(row[8]),
        start_time=maybe_moment(row[9]),
        running_since=time.since,
        duration=time.duration,
        tags=_tags(row[12]),
        state_message=row[13],
    )


def run_detail(row: Sequence[Any], *, live_path: str | None, now: int) -> RunDetail:
    """Shape the row of one flow run."""
    time = running(row[2], row[4], row[15], row[17], now=now)
    return RunDetail(
        id=row[0],
        name=row[1],
        state_type=row[2],
        state_name=row[3],
        live_path=live_path,
        state_timestamp=maybe_moment(row[4]),
        state_message=row[5],
        flow_id=row[6],
        flow_name=row[7] or "deleted flow",
        deployment_id=row[8],
        deployment_name=row[9],
        work_pool_name=row[10],
        work_queue_name=row[11],
        parent_run_id=row[12],
        parent_run_name=row[13],
        expected_start_time=maybe_moment(row[14]),
        start_time=maybe_moment(row[15]),
        end_time=maybe_moment(row[16]),
        running_since=time.since,
        duration=time.duration,
        lateness=_lateness(row[2], row[14], now=now),
        run_count=row[18],
        tags=_tags(row[19]),
        created=maybe_moment(row[20]),
        updated=maybe_moment(row[21]),
        created_by=_created_by(row[22]),
        flow_version=row[23],
        infrastructure_pid=row[24],
        idempotency_key=row[25],
        parameters=row[26],
        job_variables=row[27] or "{}",
        task_run_count=row[28],
        can_retry=row[2] in FINAL and row[8] is not None,
        can_cancel=row[2] is not None and row[2] not in FINAL and row[2] != "CANCELLING",
        again_path=_again_path(row[8], row[26]),
    )


def _again_path(deployment_id: str | None, parameters: str) -> str | None:
    """Where the deployment is run with the same parameters; long ones do not fit an address."""
    if deployment_id is None or len(parameters) > _LONGEST:
        return None
    given = urlencode({"parameters": parameters})
    return f"/deployments/deployment/{deployment_id}/run?{given}"


def _lateness(state_type: str | None, expected: int | None, *, now: int) -> float | None:
    if state_type not in ("SCHEDULED", "PENDING") or expected is None:
        return None
    late = (now - expected) / 1e6
    return late if late >= 1 else None


def _created_by(text: str | None) -> str | None:
    if text is None:
        return None
    creator = _creator(text)
    if creator.display_value and creator.type:
        return f"{creator.display_value} ({creator.type.lower().replace('_', ' ')})"
    return creator.display_value or creator.type


def task_run_detail(row: Sequence[Any], *, live_path: str | None, now: int) -> TaskRunDetail:
    """Shape the row of one task run."""
    time = running(row[3], row[5], row[10], row[12], now=now)
    policy = _policy(row[14])
    delay = policy.retry_delay
    return TaskRunDetail(
        id=row[0],
        name=row[1],
        task_key=row[2],
        state_type=row[3],
        state_name=row[4],
        live_path=live_path,
        state_timestamp=maybe_moment(row[5]),
        state_message=row[6],
        flow_run_id=row[7],
        flow_run_name=row[8],
        child_run_id=row[9],
        start_time=maybe_moment(row[10]),
        end_time=maybe_moment(row[11]),
        running_since=time.since,
        duration=time.duration,
        run_count=row[13],
        retries=policy.retries or 0,
        retry_delay=(delay[0] if delay else None) if isinstance(delay, list) else delay,
        dynamic_key=row[15],
        cache_key=row[16],
        task_version=row[17],
        tags=_tags(row[18]),
        created=maybe_moment(row[19]),
        task_inputs=row[20],
    )


def state_rows(rows: Sequence[Sequence[Any]]) -> tuple[StateRow, ...]:
    """Shape states, oldest first, each with the time until the next."""
    if not rows:
        return ()
    later = [*rows[1:], None]
    return tuple(
        StateRow(
            state_type=row[0],
            state_name=row[1],
            timestamp=from_micros(row[2]),
            message=row[3],
            duration=None if after is None else max(0.0, (after[2] - row[2]) / 1e6),
        )
        for row, after in zip(rows, later, strict=True)
    )


def state_bars(states: Sequence[StateRow], *, now: datetime) -> tuple[Segment, ...]:
    """Draw the time spent in each state; a final one takes none."""
    if not states:
        return ()
    ends = [*(state.timestamp for state in states[1:]), None]
    spans = []
    for state, after in zip(states, ends, strict=True):
        end = after or (state.timestamp if state.state_type in FINAL else now)
        if after is None and state.state_type in FINAL and len(states) > 1:
            continue
        spans.append(
            Span(
                state_type=state.state_type,
                state_name=state.state_name,
                start=state.timestamp,
                end=max(end, state.timestamp),
                title=state.state_name or "No state",
            )
        )
    return segments(spans, begin=states[0].timestamp, end=max(span.end for span in spans))


def task_rows(
    rows: Sequence[Sequence[Any]], *, begin: datetime | None, end: datetime, now: int
) -> tuple[TaskRunRow, ...]:
    """Shape task runs; their bars lie between the begin and the end of the flow run."""
    return tuple(_task_row(row, begin=begin, end=end, now=now) for row in rows)


def _task_row(row: Sequence[Any], *, begin: datetime | None, end: datetime, now: int) -> TaskRunRow:
    time = running(row[2], row[4], row[5], row[7], now=now)
    start, ended = maybe_moment(row[5]), maybe_moment(row[6])
    bar = None
    if begin is not None and start is not None:
        span = Span(
            state_type=row[2],
            state_name=row[3],
            start=start,
            end=max(start, ended or end),
            title=f"{row[1]}: {row[3] or 'no state'}",
        )
        bar = segments([span], begin=min(begin, start), end=end)[0]
    return TaskRunRow(
        id=row[0],
        name=row[1],
        state_type=row[2],
        state_name=row[3],
        start_time=start,
        running_since=time.since,
        duration=time.duration,
        run_count=row[8],
        child_run_id=row[9],
        bar=bar,
    )


def log_line(log: Log, task_names: Mapping[str, str] | None) -> LogLine:
    """Shape a line of a log; without names it is one task run's, which need not be named."""
    task_run_id = None if task_names is None else log.task_run_id
    return LogLine(
        id=log.id,
        timestamp=log.timestamp,
        level=log.level,
        level_name=_level_name(log.level),
        logger=log.name,
        message=log.message,
        task_run_id=task_run_id,
        task_run_name=(task_names or {}).get(task_run_id or ""),
    )


def _level_name(level: int) -> str:
    exact = dict(_LEVELS).get(level)
    return exact or f"LEVEL {level}"
