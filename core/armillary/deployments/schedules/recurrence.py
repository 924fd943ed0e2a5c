"""Follows recurrence rules over naive wall times, from any moment on, in bounded work.

Nothing walks from the rule's start unless it has a COUNT: the first period is computed, periods
that cannot fire are skipped by days, hours and minutes, and the work between two times is capped.
"""

from __future__ import annotations

import heapq
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice, product

import msgspec

from armillary.deployments.schedules.days import DayTest, day_tests
from armillary.deployments.schedules.errors import ScheduleError
from armillary.deployments.schedules.rule import (
    DEFAULT_START,
    HOURLY,
    LAST_WALL,
    MINUTELY,
    MONTHLY,
    SECONDLY,
    STEPS,
    WEEKLY,
    YEARLY,
    Rule,
    RuleSet,
)

LOOK_AHEAD = timedelta(days=50 * 366)
MAX_WORK = 50_000

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


class _Work:
    """Counts what has been looked at since the last time that was found."""

    def __init__(self) -> None:
        self.done = 0

    def add(self, amount: int = 1) -> None:
        self.done += amount
        if self.done > MAX_WORK:
            raise ScheduleError(
                "The rrule takes too long to follow: it fires too rarely for its FREQ, counts too "
                "far with COUNT, or excludes nearly all its times. Use a longer FREQ, a later "
                "DTSTART, or UNTIL in place of COUNT."
            )


def occurrences(
    rules: RuleSet, *, since: datetime, until: datetime = LAST_WALL
) -> Iterator[datetime]:
    """The wall times of a rule set from ``since`` to ``until`` (included), ascending, none twice.

    Nothing further away than LOOK_AHEAD is found.
    """
    start = rules.start or DEFAULT_START
    last = min(until, LAST_WALL if since > LAST_WALL - LOOK_AHEAD else since + LOOK_AHEAD)
    work = _Work()
    included = _merged(rules.rules, rules.rdates, start, (since, last, work))
    excluded = _merged(rules.exrules, rules.exdates, start, (since, last, work))
    barred = next(excluded, None)
    previous: datetime | None = None
    for wall in included:
        work.add()
        while barred is not None and barred < wall:
            work.add()
            barred = next(excluded, None)
        if wall not in (previous, barred):
            previous = wall
            work.done = 0
            yield wall


_Window = tuple[datetime, datetime, _Work]


def _merged(
    rules: Iterable[Rule], dates: Iterable[datetime], start: datetime, window: _Window
) -> Iterator[datetime]:
    since, last, _ = window
    return heapq.merge(
        (wall for wall in dates if since <= wall <= last),
        *(_expand(rule, start, window) for rule in rules),
    )


def _expand(rule: Rule, start: datetime, window: _Window) -> Iterator[datetime]:
    since, last, work = window
    rule = _completed(_uncounted(rule, start), start)
    if rule.until is not None:
        last = min(last, rule.until)
    first = max(since, start)
    found = _by_clock if rule.freq >= HOURLY else _by_day
    if rule.count is None:
        yield from found(rule, start, (first, last, work))
        return
    for wall in islice(found(rule, start, (start, last, work)), rule.count):
        work.add()
        if wall >= first:
            yield wall


def _uncounted(rule: Rule, start: datetime) -> Rule:
    """A rule without other conditions fires once a period: its COUNT is an UNTIL."""
    bare = Rule(freq=rule.freq, interval=rule.interval, wkst=rule.wkst)
    if rule.count is None or rule.freq < WEEKLY or not _same_but_end(rule, bare):
        return rule
    distance = STEPS[rule.freq] * rule.interval
    if rule.count == 0:
        end = start - _DAY
    elif (LAST_WALL - start) // distance < rule.count:
        end = LAST_WALL
    else:
        end = start + distance * (rule.count - 1)
    return msgspec.structs.replace(rule, count=None, until=min(end, rule.until or end))


def _same_but_end(rule: Rule, bare: Rule) -> bool:
    return msgspec.structs.replace(rule, count=None, until=None) == bare


def _completed(rule: Rule, start: datetime) -> Rule:
    """The rule with what its start says where it says nothing itself."""
    parts: dict[str, object] = {}
    if not (rule.byweekno or rule.byyearday or rule.bymonthday or rule.byweekday or rule.byeaster):
        if rule.freq == YEARLY and not rule.bymonth:
            parts["bymonth"] = (start.month,)
        if rule.freq in (YEARLY, MONTHLY):
            parts["bymonthday"] = (start.day,)
        if rule.freq == WEEKLY:
            parts["byweekday"] = ((start.weekday(), 0),)
    if rule.freq < HOURLY and not rule.byhour:
        parts["byhour"] = (start.hour,)
    if rule.freq < MINUTELY and not rule.byminute:
        parts["byminute"] = (start.minute,)
    if rule.freq < SECONDLY and not rule.bysecond:
        parts["bysecond"] = (start.second,)
    return msgspec.structs.replace(rule, **parts)


def _by_day(rule: Rule, start: datetime, window: _Window) -> Iterator[datetime]:
    """Rules by the year, month, week or day: the days of each period, at the rule's times."""
    first, last, work = window
    tests = day_tests(rule)
    times = [time(*parts) for parts in product(rule.byhour, rule.byminute, rule.bysecond)]
    period = _period_of(rule, start, first)
    while True:
        days = _days(rule, start, period)
        if days is None or (days and days[0] > last.date()):
            return
        work.add(len(days))
        for wall in _on(_passing(days, tests), times, rule.bysetpos):
            if wall > last:
                return
            if wall >= first:
                yield wall
        period += 1


def _period_of(rule: Rule, start: datetime, first: datetime) -> int:
    """The number of the period ``first`` lies in, or of one shortly before."""
    if rule.freq == YEARLY:
        distance = first.year - start.year
    elif rule.freq == MONTHLY:
        distance = (first.year - start.year) * 12 + first.month - start.month
    else:
        distance = (first.date() - start.date()) // STEPS[rule.freq]
    return max(0, distance // rule.interval - 1)


def _days(rule: Rule, start: datetime, period: int) -> list[date] | None:
    """The days of a period; none after the end of the calendar."""
    distance = period * rule.interval
    try:
        if rule.freq == YEARLY:
            begin = date(start.year + distance, 1, 1)
            length = (date(begin.year, 12, 31) - begin).days + 1
        elif rule.freq == MONTHLY:
            years, month = divmod(start.month - 1 + distance, 12)
            begin = date(start.year + years, month + 1, 1)
            length = monthrange(begin.year, begin.month)[1]
        elif rule.freq == WEEKLY:
            begin = start.date() - timedelta(days=(start.weekday() - rule.wkst) % 7)
            begin += timedelta(weeks=distance)
            length = 7
        else:
            begin, length = start.date() + timedelta(days=distance), 1
        days = [begin + timedelta(days=number) for number in range(length)]
    except (OverflowError, ValueError):
        return None
    if rule.freq == WEEKLY and not period:
        return [day for day in days if day >= start.date()]
    return days


def _passing(days: list[date], tests: list[DayTest]) -> list[date]:
    return [day for day in days if all(test(day) for test in tests)]


def _on(days: list[date], times: list[time], positions: tuple[int, ...]) -> Iterator[datetime]:
    if not positions:
        for day in days:
            for moment in times:
                yield datetime.combine(day, moment)
        return
    total = len(days) * len(times)
    for place in sorted({p - 1 if p > 0 else total + p for p in positions}):
        if 0 <= place < total:
            which_day, which_time = divmod(place, len(times))
            yield datetime.combine(days[which_day], times[which_time])


def _by_clock(rule: Rule, start: datetime, window: _Window) -> Iterator[datetime]:
    """Rules by the hour, minute or second: periods that cannot fire are jumped over."""
    first, last, work = window
    tests = day_tests(rule)
    unit = STEPS[rule.freq]
    step = unit * rule.interval
    base = _floor(start, unit)
    period = _periods(_floor(first, unit) - base, step)
    passing: tuple[date, bool] = (date.min, False)
    while True:
        try:
            begin = base + period * step
        except OverflowError:
            return
        if begin > last:
            return
        work.add()
        if begin.date() != passing[0]:
            passing = (begin.date(), bool(_passing([begin.date()], tests)))
        gap = _gap(rule, begin, day_passes=passing[1])
        if gap is None:
            yield from _within(rule, begin, (first, last, work))
            period += 1
        else:
            period = max(period + 1, _periods(_floor(begin, gap) - base + gap, step))


def _gap(rule: Rule, begin: datetime, *, day_passes: bool) -> timedelta | None:
    """How much of the clock to skip when a period cannot fire."""
    if not day_passes:
        return _DAY
    if rule.byhour and begin.hour not in rule.byhour:
        return _HOUR
    if rule.freq >= MINUTELY and rule.byminute and begin.minute not in rule.byminute:
        return _MINUTE
    if rule.freq == SECONDLY and rule.bysecond and begin.second not in rule.bysecond:
        return STEPS[SECONDLY]
    return None


def _within(rule: Rule, begin: datetime, window: _Window) -> Iterator[datetime]:
    """The times of one period of at most an hour."""
    first, last, _ = window
    minutes = rule.byminute if rule.freq < MINUTELY else (begin.minute,)
    seconds = rule.bysecond if rule.freq < SECONDLY else (begin.second,)
    times = [time(begin.hour, minute, second) for minute, second in product(minutes, seconds)]
    for wall in _on([begin.date()], times, rule.bysetpos):
        if first <= wall <= last:
            yield wall


def _floor(wall: datetime, unit: timedelta) -> datetime:
    midnight = datetime.combine(wall.date(), time())
    return midnight + (wall - midnight) // unit * unit


def _periods(distance: timedelta, step: timedelta) -> int:
    """The first period that begins at or after ``distance`` from the start."""
    return max(0, -(-distance // step))
