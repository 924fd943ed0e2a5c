"""Which days a recurrence rule lets through: pure questions about one date."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

from armillary.deployments.schedules.rule import MONTHLY, YEARLY, Rule

DayTest = Callable[[date], bool]


def day_tests(rule: Rule) -> list[DayTest]:
    """The tests a day has to pass, all of them."""
    tests: list[DayTest] = []
    if rule.bymonth:
        tests.append(lambda day: day.month in rule.bymonth)
    if rule.bymonthday:
        tests.append(lambda day: _in_month(day, rule.bymonthday))
    if rule.byyearday:
        tests.append(lambda day: _in_year(day, rule.byyearday))
    if rule.byweekno:
        tests.append(lambda day: _in_week(day, rule.byweekno, rule.wkst))
    if rule.byweekday:
        tests.append(_weekday_test(rule))
    if rule.byeaster:
        tests.append(lambda day: (day - easter(day.year)).days in rule.byeaster)
    return tests


@lru_cache(maxsize=64)
def easter(year: int) -> date:
    """The Sunday of western Easter, by the anonymous Gregorian computus."""
    century, in_century = divmod(year, 100)
    leap_centuries, odd_centuries = divmod(century, 4)
    leap_years, odd_years = divmod(in_century, 4)
    golden = year % 19
    moon_shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon_shift + 15) % 30
    to_sunday = (32 + 2 * odd_centuries + 2 * leap_years - epact - odd_years) % 7
    correction = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _in_month(day: date, wanted: tuple[int, ...]) -> bool:
    length = monthrange(day.year, day.month)[1]
    return day.day in wanted or day.day - length - 1 in wanted


def _in_year(day: date, wanted: tuple[int, ...]) -> bool:
    number = day.timetuple().tm_yday
    return number in wanted or number - (366 if isleap(day.year) else 365) - 1 in wanted


def _in_week(day: date, wanted: tuple[int, ...], wkst: int) -> bool:
    middle = _middle_of_week(day, wkst)
    number = (middle.timetuple().tm_yday - 1) // 7 + 1
    last = _middle_of_week(date(middle.year, 12, 31), wkst)
    if last.year != middle.year:
        last -= timedelta(weeks=1)
    weeks = (last.timetuple().tm_yday - 1) // 7 + 1
    return number in wanted or number - weeks - 1 in wanted


def _middle_of_week(day: date, wkst: int) -> date:
    """The fourth day of a date's week: the year it lies in is the week's year."""
    return day + timedelta(days=3 - (day.weekday() - wkst) % 7)


def _weekday_test(rule: Rule) -> DayTest:
    if rule.freq > MONTHLY:
        weekdays = {weekday for weekday, _ in rule.byweekday}
        return lambda day: day.weekday() in weekdays
    plain = {weekday for weekday, nth in rule.byweekday if not nth}
    counted = {(weekday, nth) for weekday, nth in rule.byweekday if nth}
    by_year = rule.freq == YEARLY and not rule.bymonth

    def test(day: date) -> bool:
        weekday = day.weekday()
        if weekday in plain:
            return True
        place, length = _place(day, by_year=by_year)
        return bool(
            {(weekday, (place - 1) // 7 + 1), (weekday, -((length - place) // 7 + 1))} & counted
        )

    return test


def _place(day: date, *, by_year: bool) -> tuple[int, int]:
    if by_year:
        return day.timetuple().tm_yday, 366 if isleap(day.year) else 365
    return day.day, monthrange(day.year, day.month)[1]
