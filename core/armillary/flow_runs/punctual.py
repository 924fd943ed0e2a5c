"""Runs that start about when they are expected, and those that do not.

A list by start of runs that were expected in a window would pass all that is scheduled later, or
sort the window.  Almost every run starts within the hour: of these the order ends where the window
does, an hour apart.  The others are few, and an index of their own has them.
"""

from __future__ import annotations

from armillary.criteria import Times, micros
from armillary.db.filters import Condition, between, every
from armillary.flow_runs.criteria import Selection
from armillary.flow_runs.tagged import STARTED

_MARGIN = 3_600_000_000
"""Microseconds; written into the index ``flow_run_displaced``, word for word."""
_APART = "abs(r.start_time - r.expected_start_time)"
_TAGGED_APART = "abs(ft.started - ft.expected_start_time)"


def punctual(selection: Selection, expected: Times) -> Selection:
    """Of runs expected in a window those that have not started, or within an hour of that."""
    after, before = micros(expected.after_), micros(expected.before_)
    since = None if after is None else after - _MARGIN
    until = None if before is None else before + _MARGIN
    on_time = Condition(f"(r.start_time is null or {_APART} <= {_MARGIN})")
    on_tag = Condition(f"{_TAGGED_APART} <= {_MARGIN}")
    return selection.cut(
        every([*between(STARTED, since, until), on_time]),
        every([*between("ft.started", since, until), on_tag]),
    )


def displaced(selection: Selection) -> Condition:
    """All others."""
    apart = selection.cut(Condition(f"{_APART} > {_MARGIN}"))
    return apart.where() if selection.narrow else apart.walking(by_workspace=True)
