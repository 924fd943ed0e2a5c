"""Wall-clock times of a time zone placed on the time line, over changes of the clock as well."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from armillary.deployments.schedules.errors import ScheduleError

_A_DAY = timedelta(days=1)


@lru_cache(maxsize=512)
def zone_of(name: str | None) -> ZoneInfo:
    """The zone of an IANA name; none or an empty name is UTC."""
    if not name:
        return ZoneInfo("UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(
            f"The time zone {name!r} is not known; give an IANA name such as 'America/New_York'."
        ) from error


def place(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment a naive wall time names in ``zone``, as an aware time of that zone.

    A time that clocks skip moves forward by what they skip. A time that clocks show twice is the
    first of the two, or the second where ``wall.fold`` asks for it.
    """
    aware = wall.replace(tzinfo=zone)
    moment = aware.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) != wall.replace(fold=0):
        moment = aware.replace(fold=0).astimezone(UTC)
    return moment.astimezone(zone)


def first_wall(start: datetime, zone: ZoneInfo) -> datetime:
    """The naive wall time from which on a wall-clock rule has to be followed to see ``start``.

    After clocks went forward it lies before the skipped times, since those fire later than they
    read.
    """
    moment = start.astimezone(UTC)
    now = _offset(moment, zone)
    before = _offset(_earlier(moment), zone)
    return moment.replace(tzinfo=None) + min(now, before)


def in_order(walls: Iterable[datetime], zone: ZoneInfo) -> Iterator[datetime]:
    """Aware times of ascending wall times: ascending as moments, none of them twice."""
    moved: list[datetime] = []
    last: datetime | None = None
    for wall in walls:
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
            heapq.heappush(moved, moment)
            continue
        while moved and moved[0] < moment:
            early = heapq.heappop(moved)
            if last is None or early > last:
                last = early
                yield early.astimezone(zone)
        if last is None or moment > last:
            last = moment
            yield moment.astimezone(zone)
    while moved:
        early = heapq.heappop(moved)
        if last is None or early > last:
            last = early
            yield early.astimezone(zone)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _earlier(moment: datetime) -> datetime:
    oldest = datetime.min.replace(tzinfo=UTC) + 2 * _A_DAY
    return max(oldest, moment - _A_DAY) if moment > oldest else moment
