"""Where bars of a time line lie: spans of time to shares of a width."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

WIDTH = 1000
"""Units across a bar's drawing."""

_LEAST = 3
"""No bar is thinner than this, or a short step in a long run could not be seen."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time in one state."""

    state_type: str | None
    state_name: str | None
    start: datetime
    end: datetime
    title: str
    """What a person reads when pointing at it."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A bar to draw, in units of `WIDTH`."""

    state_type: str | None
    state_name: str | None
    x: float
    width: float
    title: str


def segments(spans: Sequence[Span], *, begin: datetime, end: datetime) -> tuple[Segment, ...]:
    """Bars of the spans on an axis from `begin` to `end`; what lies outside is cut off."""
    whole = (end - begin).total_seconds()
    return tuple(_segment(span, begin=begin, whole=whole) for span in spans)


def _segment(span: Span, *, begin: datetime, whole: float) -> Segment:
    left = _share((span.start - begin).total_seconds(), whole)
    right = _share((span.end - begin).total_seconds(), whole) if whole > 0 else WIDTH
    width = max(right - left, _LEAST)
    return Segment(
        state_type=span.state_type,
        state_name=span.state_name,
        x=round(min(left, WIDTH - width), 1),
        width=round(width, 1),
        title=span.title,
    )


def _share(seconds: float, whole: float) -> float:
    return min(max(seconds / whole, 0.0), 1.0) * WIDTH if whole > 0 else 0.0
