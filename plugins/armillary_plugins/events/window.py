"""From when to when a filter reaches, in microseconds, both ends included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from armillary_plugins.events.schemas import EventFilter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BACK = timedelta(days=180)


class Window(msgspec.Struct, frozen=True):
    """A stretch of time."""

    since: int
    until: int


def window_of(events: EventFilter, now: datetime) -> Window:
    """Say how far a filter reaches: without more, half a year back and up to now."""
    occurred = events.occurred
    since = occurred.since if occurred is not None else None
    until = occurred.until if occurred is not None else None
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(_micros(since or today - _BACK), _micros(until or now))


def _micros(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND
