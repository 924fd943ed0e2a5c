"""Stretches of time to count events in, all of one length, laid on from a fixed Monday."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec

from armillary.errors import Refused
from armillary_plugins.events.schemas import TimeUnit
from armillary_plugins.events.window import Window

MOST = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PIVOT = (datetime(2024, 4, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_UNITS = {
    "week": 604_800_000_000,
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
}


class Spans(msgspec.Struct, frozen=True):
    """So many spans of a length, from a moment on; in microseconds."""

    start: int
    length: int
    number: int

    def bounds(self, place: int) -> tuple[int, int]:
        """Return the first and the last moment of a span."""
        first = self.start + place * self.length
        return first, first + self.length - 1


def spans_of(window: Window, unit: TimeUnit, interval: float, *, now: int) -> Spans:
    """Lay spans over a window, up to the end of the present unit; Refused if they are too many."""
    length = round(_UNITS[unit] * interval)
    asked = math.ceil(max(0, window.until - window.since) / length)
    if asked > MOST:
        raise Refused(
            422,
            f"An interval of {interval:g} {unit}(s) makes {asked} spans of this time, and {MOST} is"
            " the limit: ask for longer ones, or for less time.",
        )
    until = window.until
    if until > now:
        until = _PIVOT + ((now - _PIVOT) // _UNITS[unit] + 1) * _UNITS[unit] - 1
    start = _PIVOT + (window.since - _PIVOT) // length * length
    return Spans(start, length, max(0, -((start - until) // length)))
