"""Spans of time in the forms clients send them, as the seconds they are answered with."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec

from armillary.errors import Invalid

_CLOCK = re.compile(
    r"(?P<sign>[+-])?(?:(?P<days>\d{1,9})\s*(?:d|days?),?\s*)?"
    r"(?P<hours>\d{1,9}):(?P<minutes>[0-5]?\d)(?::(?P<seconds>[0-5]?\d(?:\.\d{1,9})?))?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")
_SECONDS = msgspec.json.Decoder(int | float | str)


def seconds(raw: msgspec.Raw, loc: tuple[str | int, ...]) -> float:
    """Return a span in seconds, to the microsecond; Invalid for what is none.

    It comes as a number of seconds, as ``PT90S``, or as ``1 day, 0:01:30``.
    """
    try:
        span = _span(_SECONDS.decode(raw))
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise Invalid(
            f"This is no span of time: {bytes(raw)[:50].decode(errors='replace')}; "
            "give it in seconds.",
            loc=loc,
            kind="time_delta_parsing",
        ) from error
    if span < timedelta(0):
        raise Invalid("A span of time must not be negative.", loc=loc, kind="greater_than_equal")
    return span.total_seconds()


def _span(value: float | str) -> timedelta:
    if not isinstance(value, str):
        return timedelta(seconds=value)
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return timedelta(seconds=float(text))
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return msgspec.convert(text, timedelta)
    span = timedelta(
        days=int(clock["days"] or 0),
        hours=int(clock["hours"]),
        minutes=int(clock["minutes"]),
        seconds=float(clock["seconds"] or 0),
    )
    return -span if clock["sign"] == "-" else span
