"""The three schedules as they travel: told apart by the member they have, never by a tag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from armillary.deployments.schedules.errors import ScheduleError
from armillary.deployments.schedules.rule import read_rules, with_start
from armillary.deployments.schedules.zones import zone_of

_KINDS = ("interval", "cron", "rrule")


class IntervalSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Every ``interval`` seconds, counted from the anchor in both directions."""

    interval: float
    anchor_date: datetime
    timezone: str | None = "UTC"


class CronSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """At the wall times of a cron expression; ``day_or`` joins its two day fields by "or"."""

    cron: str
    timezone: str | None = None
    day_or: bool = True


class RRuleSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """At the wall times of recurrence rules."""

    rrule: str
    timezone: str | None = "UTC"


Schedule = IntervalSchedule | CronSchedule | RRuleSchedule


class _Received(msgspec.Struct, frozen=True):
    """All members any schedule may have; which of them are there decides."""

    interval: float | str | None = None
    anchor_date: str | float | None = None
    cron: str | None = None
    day_or: bool | None = None
    rrule: str | None = None
    timezone: str | msgspec.UnsetType | None = msgspec.UNSET


_decoder = msgspec.json.Decoder(_Received)
_encoder = msgspec.json.Encoder()


def parse_schedule(raw: bytes | msgspec.Raw, *, now: datetime) -> Schedule:
    """The schedule a JSON object describes, checked; what it leaves open is filled in from ``now``.

    A parsed schedule, dumped and parsed again, is the same schedule.
    """
    try:
        received = _decoder.decode(raw)
    except (msgspec.DecodeError, OverflowError) as error:
        raise ScheduleError(
            f"The schedule cannot be read: {error}. Give an object with 'interval' (seconds), "
            "'cron' or 'rrule', and 'timezone' as text."
        ) from error
    given = [kind for kind in _KINDS if getattr(received, kind) is not None]
    if len(given) != 1:
        raise ScheduleError(
            f"The schedule has {' and '.join(given) or 'none of its kinds'}; "
            "give exactly one of 'interval', 'cron' and 'rrule'."
        )
    timezone = None if received.timezone is msgspec.UNSET else received.timezone or None
    zone_of(timezone)
    if received.cron is not None:
        return _cron(received.cron, received, timezone)
    if received.rrule is not None:
        return _rrule(received.rrule, received, timezone, now=now)
    return _interval(received, timezone, now=now)


def dump_schedule(schedule: Schedule) -> bytes:
    """The schedule as the JSON object it is stored as and answered with."""
    return _encoder.encode(schedule)


def _cron(cron: str, received: _Received, timezone: str | None) -> CronSchedule:
    from armillary.deployments.schedules.cron import check_cron  # noqa: PLC0415 - 40 ms at start

    check_cron(cron)
    return CronSchedule(cron=cron, timezone=timezone, day_or=received.day_or is not False)


def _rrule(
    rrule: str, received: _Received, timezone: str | None, *, now: datetime
) -> RRuleSchedule:
    text = with_start(rrule, read_rules(rrule, timezone), timezone, now=now)
    absent = received.timezone is msgspec.UNSET
    return RRuleSchedule(rrule=text, timezone="UTC" if absent else timezone)


def _interval(received: _Received, timezone: str | None, *, now: datetime) -> IntervalSchedule:
    try:
        interval = msgspec.convert(received.interval, timedelta, strict=False)
    except (msgspec.ValidationError, OverflowError) as error:
        raise ScheduleError(
            f"The schedule's interval {received.interval!r} is not a duration; "
            "give a number of seconds."
        ) from error
    if interval <= timedelta():
        raise ScheduleError(
            f"The schedule's interval is {interval.total_seconds():g} seconds; "
            "give a number of seconds greater than 0."
        )
    anchor = now.astimezone(UTC) if received.anchor_date is None else _moment(received.anchor_date)
    return IntervalSchedule(
        interval=interval.total_seconds(), anchor_date=anchor, timezone=timezone or "UTC"
    )


def _moment(value: str | float) -> datetime:
    """A moment as clients write it: ISO 8601 with ``T`` or a space, or seconds since the epoch."""
    try:
        if not isinstance(value, str):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(value)
        moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ScheduleError(
            f"The schedule's anchor_date {value!r} is not a date; "
            "write it like 2026-01-31T09:00:00Z."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
