"""What schedules accept, how they travel, and when they fire on ordinary days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from armillary.deployments.schedules import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    Schedule,
    ScheduleError,
    dump_schedule,
    fire_times,
    horizon,
    idempotency_key,
    parse_schedule,
)

NOW = datetime(2026, 11, 21, 11, 16, 18, 369586, tzinfo=UTC)


def parsed(**members: object) -> Schedule:
    return parse_schedule(msgspec.json.encode(members), now=NOW)


def dumped(**members: object) -> object:
    return msgspec.json.decode(dump_schedule(parsed(**members)))


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        (
            {"interval": 3600},
            {
                "interval": 3600.0,
                "anchor_date": "2026-11-21T11:16:18.369586Z",
                "timezone": "UTC",
            },
        ),
        (
            {"interval": "PT1H", "anchor_date": "2026-01-01T00:00:00+02:00", "timezone": None},
            {"interval": 3600.0, "anchor_date": "2026-01-01T00:00:00+02:00", "timezone": "UTC"},
        ),
        (
            {"interval": 0.5, "anchor_date": "2026-01-01 00:00:00", "timezone": "EST5EDT"},
            {"interval": 0.5, "anchor_date": "2026-01-01T00:00:00Z", "timezone": "EST5EDT"},
        ),
        (
            {"interval": 60, "anchor_date": 1795222047.5},
            {"interval": 60.0, "anchor_date": "2026-11-21T00:47:27.500000Z", "timezone": "UTC"},
        ),
        ({"cron": "@daily"}, {"cron": "@daily", "timezone": None, "day_or": True}),
        (
            {"cron": "0 0 * * *", "timezone": "Europe/London", "day_or": None, "future": 1},
            {"cron": "0 0 * * *", "timezone": "Europe/London", "day_or": True},
        ),
        (
            {"cron": "* * * * * *", "day_or": False, "rrule": None},
            {"cron": "* * * * * *", "timezone": None, "day_or": False},
        ),
        (
            {"rrule": "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY"},
            {"rrule": "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY", "timezone": "UTC"},
        ),
        (
            {"rrule": "FREQ=DAILY", "timezone": None},
            {"rrule": "DTSTART:20200101T000000\nFREQ=DAILY", "timezone": None},
        ),
    ],
)
def test_a_schedule_is_answered_complete(given: dict[str, object], answered: object) -> None:
    assert dumped(**given) == answered


@pytest.mark.parametrize(
    ("rrule", "timezone", "start"),
    [
        ("RRULE:FREQ=DAILY", "UTC", "20200101T000000"),
        ("FREQ=MINUTELY;INTERVAL=5", "UTC", "20261121T111500"),
        ("freq=minutely", "UTC", "20261121T111600"),
        ("FREQ=SECONDLY;INTERVAL=7", "America/New_York", "20261121T061618"),
        ("FREQ=MINUTELY;INTERVAL=1000000", "UTC", "20250914T080000"),
        ("FREQ=MINUTELY;INTERVAL=5;BYHOUR=9", "UTC", "20261121T111500"),
        ("FREQ=MINUTELY;COUNT=5", "UTC", "20200101T000000"),
        ("FREQ=MINUTELY\nEXDATE:20270101T000000", "UTC", "20200101T000000"),
        ("RRULE:FREQ=DAILY\nRRULE:FREQ=MINUTELY;INTERVAL=3", "UTC", "20200101T000000"),
        ("RDATE:20270102T000000", "UTC", "20200101T000000"),
    ],
)
def test_a_rule_without_a_start_gets_one_on_write(rrule: str, timezone: str, start: str) -> None:
    schedule = parsed(rrule=rrule, timezone=timezone)
    assert schedule == RRuleSchedule(rrule=f"DTSTART:{start}\n{rrule}", timezone=timezone)


def test_the_injected_start_keeps_the_phase_of_the_common_default() -> None:
    plain = RRuleSchedule(rrule="DTSTART:20200101T000000\nFREQ=SECONDLY;INTERVAL=7")
    injected = parsed(rrule="FREQ=SECONDLY;INTERVAL=7")
    assert list(fire_times(injected, NOW, limit=5)) == list(fire_times(plain, NOW, limit=5))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "exactly one of"),
        ({"cron": "* * * * *", "interval": 3}, "interval and cron"),
        ({"interval": 0}, "greater than 0"),
        ({"interval": -5}, "greater than 0"),
        ({"interval": 1e30}, "not a duration"),
        ({"interval": "soon"}, "not a duration"),
        ({"interval": 60, "timezone": "+05:00"}, r"'\+05:00' is not known"),
        ({"interval": 60, "timezone": "../etc/passwd"}, "is not known"),
        ({"interval": 60, "timezone": "Europe"}, "is not known"),
        ({"interval": 60, "timezone": 7}, "cannot be read"),
        ({"interval": 60, "anchor_date": "tomorrow"}, "'tomorrow' is not a date"),
        ({"interval": 60, "anchor_date": 1e20}, "is not a date"),
        ({"cron": ""}, "five fields"),
        ({"cron": "bad"}, "five fields"),
        ({"cron": "61 * * * *"}, "five fields"),
        ({"cron": "R R * * *"}, "left to chance"),
        ({"cron": "H * * * *"}, "left to chance"),
        ({"cron": "1,h(3-5)/2 * * * *"}, "left to chance"),
        ({"cron": "* " * 600}, "1000 are allowed"),
        ({"rrule": ""}, "names no times"),
        ({"rrule": "nonsense"}, "'NONSENSE' is not known"),
        ({"rrule": "FREQ=OFTEN"}, "use one of YEARLY"),
        ({"rrule": "INTERVAL=2"}, "lacks FREQ"),
        ({"rrule": "FREQ=HOURLY;INTERVAL=0"}, "whole numbers from 1"),
        ({"rrule": "FREQ=DAILY;BYHOUR=24"}, "from 0 to 23"),
        ({"rrule": "FREQ=DAILY;BYHOUR=x"}, "'X'"),
        ({"rrule": "FREQ=DAILY;BYDAY=XX"}, "MO, TU"),
        ({"rrule": "FREQ=MONTHLY;BYDAY=0MO"}, "count from 1"),
        ({"rrule": "FREQ=DAILY;BYMONTHDAY=0"}, "count from 1"),
        ({"rrule": "FREQ=DAILY;UNTIL=later"}, "is not a date"),
        ({"rrule": "FREQ=DAILY\nVALARM:1"}, "unknown line 'VALARM'"),
        ({"rrule": "DTSTART;LANGUAGE=EN:20260101T000000\nFREQ=DAILY"}, "unknown parameter"),
        (
            {
                "rrule": "DTSTART;TZID=Europe/London:20260101T000000\nRRULE:FREQ=DAILY",
                "timezone": "America/New_York",
            },
            "set 'timezone'",
        ),
        ({"rrule": "RDATE:" + ",".join(["20270102T000000"] * 410)}, "6500 are allowed"),
    ],
)
def test_a_bad_schedule_is_refused_with_its_reason(given: dict[str, object], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        parsed(**given)


@pytest.mark.parametrize("raw", [b"", b"[]", b"3", b"{", b'{"cron": 3}', b"\xff"])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ScheduleError, match="cannot be read"):
        parse_schedule(raw, now=NOW)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "start", "expected"),
    [
        (CronSchedule(cron="0 0 1 * 1"), "2026-03-07", ["2026-03-09 00:00", "2026-03-16 00:00"]),
        (
            CronSchedule(cron="0 0 1 * 1", day_or=False),
            "2026-03-07",
            ["2026-06-01 00:00", "2027-02-01 00:00"],
        ),
        (CronSchedule(cron="* * * * *"), "2026-03-07", ["2026-03-07 00:00", "2026-03-07 00:01"]),
        (
            CronSchedule(cron="* * * * *"),
            "2026-03-07T00:00:00.000005",
            ["2026-03-07 00:01", "2026-03-07 00:02"],
        ),
        (
            CronSchedule(cron="* * * * * */30"),
            "2026-03-07T00:00:00.5",
            ["2026-03-07 00:00:30", "2026-03-07 00:01"],
        ),
        (CronSchedule(cron="0 0 30 2 *"), "2026-03-07", []),
        (
            CronSchedule(cron="0 9 * * fri#2"),
            "2026-03-07",
            ["2026-03-13 09:00", "2026-04-10 09:00"],
        ),
        (
            RRuleSchedule(rrule="DTSTART:20260101T090000Z\nRRULE:FREQ=MONTHLY;BYDAY=-1FR"),
            "2026-03-07",
            ["2026-03-27 09:00", "2026-04-24 09:00"],
        ),
        (
            RRuleSchedule(
                rrule="DTSTART:20260301T000000\nRRULE:FREQ=DAILY\nEXDATE:20260307T000000\n"
                "RDATE:20260307T050000,20260307T050000"
            ),
            "2026-03-07",
            ["2026-03-07 05:00", "2026-03-08 00:00"],
        ),
        (
            RRuleSchedule(rrule="DTSTART:20260301T000000\nRRULE:FREQ=DAILY;UNTIL=20260307T000000Z"),
            "2026-03-07",
            ["2026-03-07 00:00"],
        ),
        (
            RRuleSchedule(rrule="DTSTART:20260301T000000\nRRULE:FREQ=DAILY;COUNT=8"),
            "2026-03-07",
            ["2026-03-07 00:00", "2026-03-08 00:00"],
        ),
        (
            IntervalSchedule(interval=90.0, anchor_date=utc("2030-01-01")),
            "2026-03-07T00:00:01",
            ["2026-03-07 00:01:30", "2026-03-07 00:03"],
        ),
        (
            IntervalSchedule(interval=2 * 86400.0, anchor_date=utc("2030-01-01")),
            "2026-03-07",
            ["2026-03-07 00:00", "2026-03-09 00:00"],
        ),
    ],
)
def test_a_schedule_fires_at_the_known_times(
    schedule: Schedule, start: str, expected: list[str]
) -> None:
    assert list(fire_times(schedule, utc(start), limit=2)) == [utc(text) for text in expected]


def test_the_end_is_included_and_nothing_after_it() -> None:
    every_hour = CronSchedule(cron="0 * * * *")
    start, end = utc("2026-03-07"), utc("2026-03-07T03:00")
    assert len(list(fire_times(every_hour, start, end))) == 4


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (CronSchedule(cron="0 0 * * *"), 3),
        (CronSchedule(cron="* * * * *"), 61),
        (CronSchedule(cron="* * * * * *"), 100),
        (CronSchedule(cron="0 0 1 1 *"), 1),
        (CronSchedule(cron="0 0 1 10 *"), 0),
        (IntervalSchedule(interval=60.0, anchor_date=NOW), 61),
        (IntervalSchedule(interval=86400.0, anchor_date=NOW), 3),
        (RRuleSchedule(rrule="DTSTART:20200101T000000\nFREQ=SECONDLY"), 100),
        (RRuleSchedule(rrule="DTSTART:20200101T000000\nFREQ=MONTHLY"), 3),
    ],
)
def test_the_horizon_holds_what_the_settings_ask_for(schedule: Schedule, expected: int) -> None:
    times = horizon(
        schedule,
        now=NOW,
        min_runs=3,
        max_runs=100,
        min_time=timedelta(hours=1),
        max_time=timedelta(days=100),
    )
    assert len(times) == expected


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Kathmandu"])
def test_the_key_of_a_slot_is_the_same_in_any_zone(zone: str) -> None:
    moment = datetime(2026, 11, 22, 5, tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert idempotency_key("d1", "s1", moment) == "scheduled d1 s1 2026-11-22 05:00:00+00:00"


def test_slots_are_moments_in_the_schedules_zone() -> None:
    schedule = CronSchedule(cron="0 0 * * *", timezone="America/New_York")
    moment = next(fire_times(schedule, NOW))
    assert str(moment) == "2026-11-22 00:00:00-05:00"
    assert moment.tzinfo == ZoneInfo("America/New_York")
