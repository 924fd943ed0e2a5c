"""Fire times of an interval: whole days by the calendar of the zone, the rest by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from armillary.deployments.schedules.zones import place

_DAY = timedelta(days=1)
_SLACK = 3


def interval_times(
    interval: timedelta, anchor: datetime, zone: ZoneInfo, *, start: datetime
) -> Iterator[datetime]:
    """Every ``anchor + k * interval`` from ``start`` on, for any whole k, also a negative one.

    Each time is computed from the anchor and never from its predecessor, so a change of the clock
    moves one time at most, and computing again later gives the same times.
    """
    local = anchor.astimezone(zone)
    step = (start.astimezone(UTC) - anchor.astimezone(UTC)) // interval
    by_calendar = interval >= _DAY
    if by_calendar:
        step -= _SLACK
    last: datetime | None = None
    while True:
        try:
            moment = (
                _by_calendar(local, step * interval, zone)
                if by_calendar
                else ((anchor.astimezone(UTC) + step * interval).astimezone(zone))
            )
        except OverflowError:
            return
        step += 1
        instant = moment.astimezone(UTC)
        if instant < start or (last is not None and instant <= last):
            continue
        last = instant
        yield moment


def _by_calendar(local: datetime, distance: timedelta, zone: ZoneInfo) -> datetime:
    days, rest = divmod(distance, _DAY)
    wall = (local.replace(tzinfo=None) + timedelta(days=days)).replace(fold=local.fold)
    return (place(wall, zone).astimezone(UTC) + rest).astimezone(zone)
