"""Recurrence rules (RFC 5545) as data: read from text, completed on write, refused when wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from armillary.deployments.schedules.errors import ScheduleError
from armillary.deployments.schedules.zones import zone_of

MAX_LENGTH: Final = 6500
DEFAULT_START: Final = datetime(2020, 1, 1)  # noqa: DTZ001 - rules live on the wall clock
LAST_WALL: Final = datetime.max  # noqa: DTZ901 - the same

YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY = range(7)
FREQUENCIES: Final = {
    "YEARLY": YEARLY,
    "MONTHLY": MONTHLY,
    "WEEKLY": WEEKLY,
    "DAILY": DAILY,
    "HOURLY": HOURLY,
    "MINUTELY": MINUTELY,
    "SECONDLY": SECONDLY,
}
STEPS: Final = {
    WEEKLY: timedelta(weeks=1),
    DAILY: timedelta(days=1),
    HOURLY: timedelta(hours=1),
    MINUTELY: timedelta(minutes=1),
    SECONDLY: timedelta(seconds=1),
}
_WEEKDAYS: Final = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_MAX_INTERVAL: Final = 100_000_000
_MAX_COUNT: Final = 1_000_000_000


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One RRULE or EXRULE; absent parts are empty."""

    freq: int
    interval: int = 1
    wkst: int = 0
    count: int | None = None
    until: datetime | None = None
    bysetpos: tuple[int, ...] = ()
    bymonth: tuple[int, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    byweekday: tuple[tuple[int, int], ...] = ()
    byhour: tuple[int, ...] = ()
    byminute: tuple[int, ...] = ()
    bysecond: tuple[int, ...] = ()
    byeaster: tuple[int, ...] = ()


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of a schedule's rule; times are naive, on the wall clock of the schedule's zone."""

    start: datetime | None
    rules: tuple[Rule, ...] = ()
    exrules: tuple[Rule, ...] = ()
    rdates: tuple[datetime, ...] = ()
    exdates: tuple[datetime, ...] = ()


def read_rules(text: str, timezone: str | None) -> RuleSet:
    """The rules a text of RRULE, EXRULE, RDATE, EXDATE and DTSTART lines holds.

    Times count on the wall clock of ``timezone``, also those with a ``Z``: clients have always
    been served like that. A named zone (TZID) has to be the schedule's own.
    """
    if len(text) > MAX_LENGTH:
        raise ScheduleError(
            f"The rrule has {len(text)} characters; {MAX_LENGTH} are allowed. Split the schedule."
        )
    start: datetime | None = None
    rules: dict[str, list[Rule]] = {"RRULE": [], "EXRULE": []}
    dates: dict[str, list[datetime]] = {"RDATE": [], "EXDATE": []}
    for line in text.upper().split():
        name, parameters, value = _parts(line)
        if name in rules:
            rules[name].append(_rule(value))
            continue
        _check_parameters(name, parameters, timezone)
        if name in dates:
            dates[name].extend(_moment(name, one) for one in value.split(","))
        elif name == "DTSTART":
            start = _moment(name, value)
        else:
            raise ScheduleError(
                f"The rrule has an unknown line {name!r}; "
                "use RRULE, EXRULE, RDATE, EXDATE and DTSTART."
            )
    if not rules["RRULE"] and not dates["RDATE"]:
        raise ScheduleError("The rrule names no times; give an RRULE such as 'FREQ=DAILY'.")
    return RuleSet(
        start=start,
        rules=tuple(rules["RRULE"]),
        exrules=tuple(rules["EXRULE"]),
        rdates=tuple(sorted(dates["RDATE"])),
        exdates=tuple(sorted(dates["EXDATE"])),
    )


def with_start(text: str, rules: RuleSet, timezone: str | None, *, now: datetime) -> str:
    """The text with a DTSTART, so that the rule means the same times whenever it is read.

    A single unlimited rule by the minute or second starts shortly before ``now``, in step with
    the common default of 2020, since other readers walk from the start.
    """
    if rules.start is not None:
        return text
    start = DEFAULT_START
    if len(rules.rules) == 1 and len(text.split()) == 1:
        rule = rules.rules[0]
        if rule.freq in (MINUTELY, SECONDLY) and rule.count is None:
            local = now.astimezone(zone_of(timezone)).replace(tzinfo=None)
            step = STEPS[rule.freq] * rule.interval
            start += (local - start) // step * step
    return f"DTSTART:{start:%Y%m%dT%H%M%S}\n{text.strip()}"


def _parts(line: str) -> tuple[str, list[str], str]:
    head, colon, value = line.partition(":")
    if not colon:
        return "RRULE", [], line
    name, *parameters = head.split(";")
    return name, parameters, value


def _check_parameters(name: str, parameters: list[str], timezone: str | None) -> None:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key == "VALUE" and value in ("DATE", "DATE-TIME"):
            continue
        if key == "TZID" and value == (timezone or "UTC").upper():
            continue
        if key == "TZID":
            raise ScheduleError(
                f"The rrule's {name} is in zone {value.title()!r} but the schedule's timezone is "
                f"{timezone or 'UTC'!r}; set 'timezone' to the rule's zone and leave TZID out."
            )
        raise ScheduleError(f"The rrule's {name} has an unknown parameter {parameter!r}.")


def _moment(name: str, value: str) -> datetime:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None, microsecond=0)
    except ValueError as error:
        raise ScheduleError(
            f"The rrule's {name} {value!r} is not a date; write it like 20260131T090000."
        ) from error


def _rule(value: str) -> Rule:
    fields: dict[str, object] = {}
    for pair in filter(None, value.split(";")):
        key, equals, text = pair.partition("=")
        if not equals or key not in _FIELDS:
            raise ScheduleError(
                f"The rrule part {pair!r} is not known; "
                "write parts like FREQ=DAILY, INTERVAL=2, BYDAY=MO,FR."
            )
        member, read = _FIELDS[key]
        fields[member] = read(key, text)
    if "freq" not in fields:
        raise ScheduleError(f"The rrule {value!r} lacks FREQ; start it with FREQ=DAILY or similar.")
    return msgspec.convert(fields, Rule)


def _frequency(key: str, text: str) -> int:
    if text not in FREQUENCIES:
        raise ScheduleError(
            f"The rrule's {key}={text} is not known; use one of {', '.join(FREQUENCIES)}."
        )
    return FREQUENCIES[text]


def _number(key: str, text: str, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ScheduleError(
            f"The rrule's {key} has {text!r}; give whole numbers from {low} to {high}."
        )
    return number


def _one(low: int, high: int) -> Callable[[str, str], int]:
    return lambda key, text: _number(key, text, low, high)


def _many(low: int, high: int, *, zero: bool = True) -> Callable[[str, str], tuple[int, ...]]:
    def read(key: str, text: str) -> tuple[int, ...]:
        numbers = {_number(key, one, low, high) for one in text.split(",")}
        if not zero and 0 in numbers:
            raise ScheduleError(f"The rrule's {key} has 0; count from 1, or from -1 for the end.")
        return tuple(sorted(numbers))

    return read


def _weekday(key: str, text: str) -> int:
    if text not in _WEEKDAYS:
        raise ScheduleError(f"The rrule's {key} has {text!r}; use MO, TU, WE, TH, FR, SA, SU.")
    return _WEEKDAYS[text]


def _weekdays(key: str, text: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for one in text.split(","):
        if "(" in one:
            day, nth = one[:2], one[3:-1]
        else:
            day, nth = one[-2:], one[:-2]
        number = _number(key, nth, -53, 53) if nth else 0
        if nth and not number:
            raise ScheduleError(f"The rrule's {key} has {one!r}; count from 1, or -1 for the last.")
        found.add((_weekday(key, day), number))
    return tuple(sorted(found))


_FIELDS: Final[Mapping[str, tuple[str, Callable[[str, str], object]]]] = {
    "FREQ": ("freq", _frequency),
    "INTERVAL": ("interval", _one(1, _MAX_INTERVAL)),
    "WKST": ("wkst", _weekday),
    "COUNT": ("count", _one(0, _MAX_COUNT)),
    "UNTIL": ("until", _moment),
    "BYSETPOS": ("bysetpos", _many(-366, 366, zero=False)),
    "BYMONTH": ("bymonth", _many(1, 12)),
    "BYMONTHDAY": ("bymonthday", _many(-31, 31, zero=False)),
    "BYYEARDAY": ("byyearday", _many(-366, 366, zero=False)),
    "BYWEEKNO": ("byweekno", _many(-53, 53, zero=False)),
    "BYDAY": ("byweekday", _weekdays),
    "BYWEEKDAY": ("byweekday", _weekdays),
    "BYHOUR": ("byhour", _many(0, 23)),
    "BYMINUTE": ("byminute", _many(0, 59)),
    "BYSECOND": ("bysecond", _many(0, 59)),
    "BYEASTER": ("byeaster", _many(-366, 366)),
}
