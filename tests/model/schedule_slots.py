"""When schedules fire, found by walking through the calendar (5.1), and how far ahead (5.3)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

MIN_RUNS, MAX_RUNS = 3, 100
MIN_TIME, MAX_TIME = timedelta(hours=1), timedelta(days=100)
_LATEST = datetime(2027, 6, 1)  # noqa: DTZ001 - on the wall
_DAYS = dict(zip(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], range(7), strict=True))


def horizon(schedule: dict[str, Any], now: datetime) -> list[datetime]:
    """The slots that should have runs."""
    found: list[datetime] = []
    for moment in slots(schedule, now):
        if moment > now + MAX_TIME:
            break
        found.append(moment)
        if len(found) == MAX_RUNS or (len(found) >= MIN_RUNS and moment >= now + MIN_TIME):
            break
    return found


def slots(schedule: dict[str, Any], start: datetime) -> Iterator[datetime]:
    """Every slot from a moment on, without end."""
    if "interval" in schedule:
        yield from _from(start, _of_interval(schedule, start))
        return
    zone = schedule.get("timezone") or "UTC"
    first = start.astimezone(ZoneInfo(zone)).date() - timedelta(days=2)
    if "cron" in schedule:
        days = (first + timedelta(days=number) for number in range(400))
        cron, day_or = schedule["cron"], schedule.get("day_or", True)
        walls: Iterable[datetime] = itertools.chain.from_iterable(
            _of_day(cron, day_or, day) for day in days
        )
    else:
        walls = (wall for wall in _of_rule(schedule["rrule"]) if wall.date() >= first)
    yield from _from(start, (placed(wall, zone) for wall in walls))


def _from(start: datetime, moments: Iterable[datetime]) -> Iterator[datetime]:
    """Ascending, each once: around a change of clocks two wall times may be one moment."""
    last = None
    for moment in moments:
        if moment >= start and (last is None or moment > last):
            yield moment
            last = moment


def placed(wall: datetime, zone: str) -> datetime:
    """The moment of a wall time: the first of two, and one that is skipped as much later."""
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


@cache
def _of_day(cron: str, day_or: bool, day: date) -> tuple[datetime, ...]:  # noqa: FBT001
    """Every minute, and second where there is a sixth field, that a cron names of a day."""
    fields = cron.split()
    minutes, hours, days, months, weekdays = fields[:5]
    seconds = fields[5] if len(fields) == 6 else "0"
    if day.month not in _numbers(months, 1, 12):
        return ()
    by_day = day.day in _numbers(days, 1, 31)
    by_weekday = day.isoweekday() % 7 in {each % 7 for each in _numbers(weekdays, 0, 7)}
    either = day_or and days != "*" and weekdays != "*"
    if not ((by_day or by_weekday) if either else (by_day and by_weekday)):
        return ()
    return tuple(
        datetime.combine(day, time(hour, minute, second))
        for hour in range(24)
        if hour in _numbers(hours, 0, 23)
        for minute in range(60)
        if minute in _numbers(minutes, 0, 59)
        for second in range(60)
        if second in _numbers(seconds, 0, 59)
    )


@cache
def _numbers(field: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        elif span in _DAYS:
            first = last = _DAYS[span]
        elif "-" in span:
            first, last = (int(end) for end in span.split("-"))
        else:
            first, last = int(span), (high if step else int(span))
        found |= set(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _of_interval(schedule: dict[str, Any], start: datetime) -> Iterator[datetime]:
    """Whole days by the calendar of the zone, anything else in absolute time."""
    zone = schedule.get("timezone") or "UTC"
    anchor = datetime.fromisoformat(schedule["anchor_date"])
    every = timedelta(seconds=schedule["interval"])
    wall = anchor.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    count = (start - anchor) // every - 2
    while True:
        whole = timedelta(days=every.days * count)
        rest = (every - timedelta(days=every.days)) * count
        yield placed(wall + whole, zone) + rest if every.days else anchor + every * count
        count += 1


@cache
def _of_rule(text: str) -> tuple[datetime, ...]:
    given = text if "DTSTART" in text else f"DTSTART:20200101T000000\nRRULE:{text}"
    return tuple(itertools.takewhile(lambda wall: wall < _LATEST, rrulestr(given)))
