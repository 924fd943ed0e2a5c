"""Histories: runs of either kind counted by state in intervals of time."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.clock import from_micros, to_micros
from armillary.db.filters import Condition
from armillary.db.unit import Reader
from armillary.errors import Invalid
from armillary.orchestration.wire import in_utc

MAX_INTERVALS = 500


class StateCount(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of one state in an interval; sums are seconds."""

    state_type: str
    state_name: str
    count_runs: int
    sum_estimated_run_time: float
    sum_estimated_lateness: float


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of a history."""

    interval_start: datetime
    interval_end: datetime
    states: list[StateCount]


class Window(msgspec.Struct, frozen=True):
    """``count`` intervals of ``step`` microseconds from ``start`` on."""

    start: int
    step: int
    count: int


def window_of(start: datetime, end: datetime, seconds: float) -> Window:
    """Check a window of time; it is cut to the most intervals there may be."""
    if not seconds >= 1:
        raise IntervalRefused(
            "History interval must not be less than 1 second: history_interval_seconds is "
            f"{seconds}."
        )
    first, last = to_micros(in_utc(start)), to_micros(in_utc(end))
    step = round(min(seconds, 1e9) * 1_000_000)
    return Window(first, step, max(0, min(MAX_INTERVALS, -(-(last - first) // step))))


class IntervalRefused(Invalid):
    """An interval too short: 422 with ``detail``."""

    @property
    def body(self) -> dict[str, object]:
        """The shape with ``detail``."""
        return {"detail": str(self)}


def estimated_run_time(alias: str, now: int) -> Condition:
    """Seconds a run has been RUNNING up to now."""
    return Condition(
        f"({alias}.total_run_time + case when {alias}.state_type = 'RUNNING'"
        f" then (? - {alias}.state_timestamp) / 1000000.0 else 0 end)",
        (now,),
    )


def lateness(alias: str, now: int) -> Condition:
    """Seconds by which a run started, or has not yet started, too late; never negative."""
    start, expected = f"{alias}.start_time", f"{alias}.expected_start_time"
    terminal = "('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"
    return Condition(
        f"(case when {start} > {expected} then ({start} - {expected}) / 1000000.0"
        f" when {start} is null and {alias}.state_type not in {terminal} and {expected} < ?"
        f" then (? - {expected}) / 1000000.0 else 0.0 end)",
        (now, now),
    )


async def read_history(
    reader: Reader,
    source: str,
    where: Condition,
    window: Window,
    *,
    sums: tuple[Condition, Condition],
) -> list[Interval]:
    """Count the rows of ``table alias`` by interval and state, by expected start."""
    if window.count == 0:
        return []
    alias = source.rpartition(" ")[2]
    run_time, late = sums
    expected = f"{alias}.expected_start_time"
    sql = (
        f"select ({expected} - ?) / ? as place, {alias}.state_type, {alias}.state_name, count(*),"
        f" sum(cast(case when {run_time.sql} > 0 then {run_time.sql} else 0 end"
        f" as double precision)), sum(cast({late.sql} as double precision))"
        f" from {source} where {where.sql} and {expected} >= ? and {expected} < ?"
        f" and {alias}.state_type is not null group by 1, 2, 3"
    )
    end = window.start + window.step * window.count
    rows = await reader.all(
        sql, window.start, window.step, *run_time.args, *run_time.args, *late.args, *where.args,
        window.start, end,
    )  # fmt: skip
    states: dict[int, list[StateCount]] = {}
    for row in sorted(rows, key=lambda row: (row[0], row[1], row[2])):  # they are few; runs are not
        states.setdefault(row[0], []).append(
            StateCount(
                state_type=row[1],
                state_name=row[2],
                count_runs=row[3],
                sum_estimated_run_time=row[4],
                sum_estimated_lateness=row[5],
            )
        )
    return [
        Interval(
            interval_start=from_micros(window.start + place * window.step),
            interval_end=from_micros(window.start + (place + 1) * window.step),
            states=states.get(place, []),
        )
        for place in range(window.count)
    ]
