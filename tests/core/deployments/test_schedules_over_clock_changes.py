"""Schedules where clocks go forward and back: New York, London, Lord Howe, Samoa."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from armillary.deployments.schedules import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    Schedule,
    fire_times,
)

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"


def cron(expression: str, timezone: str) -> Schedule:
    return CronSchedule(cron=expression, timezone=timezone)


def rule(text: str, timezone: str) -> Schedule:
    return RRuleSchedule(rrule=f"DTSTART:20200101T000000\n{text}", timezone=timezone)


def every(seconds: float, anchor: str, timezone: str) -> Schedule:
    moment = datetime.fromisoformat(anchor).astimezone(UTC)
    return IntervalSchedule(interval=seconds, anchor_date=moment, timezone=timezone)


DAY = 86400.0

CASES = [
    # an hourly rule fires every real hour in spring and has one gap of two hours in autumn
    (
        cron("0 * * * *", NEW_YORK),
        "2026-03-08T05:00Z",
        ["03-08 00:00-05:00", "03-08 01:00-05:00", "03-08 03:00-04:00", "03-08 04:00-04:00"],
    ),
    (
        cron("0 * * * *", NEW_YORK),
        "2026-11-01T03:00Z",
        [
            "10-31 23:00-04:00",
            "11-01 00:00-04:00",
            "11-01 01:00-04:00",
            "11-01 02:00-05:00",
            "11-01 03:00-05:00",
        ],
    ),
    (
        rule("FREQ=HOURLY", NEW_YORK),
        "2026-03-08T05:00Z",
        ["03-08 00:00-05:00", "03-08 01:00-05:00", "03-08 03:00-04:00", "03-08 04:00-04:00"],
    ),
    (
        rule("FREQ=HOURLY", "Europe/London"),
        "2026-10-25T00:00Z",
        ["10-25 01:00+01:00", "10-25 02:00+00:00", "10-25 03:00+00:00"],
    ),
    # a skipped wall time fires later by what was skipped, and is back the next day
    (
        cron("30 2 * * *", NEW_YORK),
        "2026-03-07T00:00Z",
        ["03-07 02:30-05:00", "03-08 03:30-04:00", "03-09 02:30-04:00"],
    ),
    (
        cron("30 1 * * *", "Europe/London"),
        "2026-03-28T00:00Z",
        ["03-28 01:30+00:00", "03-29 02:30+01:00", "03-30 01:30+01:00"],
    ),
    (
        rule("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", NEW_YORK),
        "2026-03-07T00:00Z",
        ["03-07 02:30-05:00", "03-08 03:30-04:00", "03-09 02:30-04:00"],
    ),
    # a skipped time that falls on another one fires once
    (
        cron("30 2,3 * * *", NEW_YORK),
        "2026-03-08T00:00-05:00",
        ["03-08 03:30-04:00", "03-09 02:30-04:00", "03-09 03:30-04:00"],
    ),
    # a twofold wall time fires at its first occurrence
    (
        cron("30 1 * * *", NEW_YORK),
        "2026-10-31T00:00-04:00",
        ["10-31 01:30-04:00", "11-01 01:30-04:00", "11-02 01:30-05:00"],
    ),
    (
        cron("30 1 * * *", NEW_YORK),
        "2026-11-01T01:15-05:00",
        ["11-02 01:30-05:00"],
    ),
    # half an hour is skipped: the order stays that of the moments
    (
        cron("0,20,35 2 * * *", LORD_HOWE),
        "2026-10-04T00:00+10:30",
        ["10-04 02:30+11:00", "10-04 02:35+11:00", "10-04 02:50+11:00", "10-05 02:00+11:00"],
    ),
    (
        cron("*/15 1 * * *", LORD_HOWE),
        "2026-04-05T00:00+11:00",
        ["04-05 01:00+11:00", "04-05 01:15+11:00", "04-05 01:30+11:00", "04-05 01:45+11:00"],
    ),
    # a start among the moved times still sees them
    (
        cron("30 2 * * *", NEW_YORK),
        "2026-03-08T03:10-04:00",
        ["03-08 03:30-04:00", "03-09 02:30-04:00"],
    ),
    (
        cron("30 2 * * *", NEW_YORK),
        "2026-03-08T03:30-04:00",
        ["03-08 03:30-04:00"],
    ),
    (
        cron("30 2 * * *", NEW_YORK),
        "2026-03-08T03:31-04:00",
        ["03-09 02:30-04:00"],
    ),
    # a day that does not exist: Samoa went over the date line
    (
        cron("0 12 * * *", "Pacific/Apia"),
        "2011-12-29T00:00-10:00",
        ["12-29 12:00-10:00", "12-31 12:00+14:00"],
    ),
    # a daily interval keeps the hour on the wall, counted from an anchor in the other season
    (
        every(DAY, "2026-01-01T09:00-05:00", NEW_YORK),
        "2026-03-07T00:00-05:00",
        ["03-07 09:00-05:00", "03-08 09:00-04:00", "03-09 09:00-04:00"],
    ),
    (
        every(DAY, "2026-01-01T09:00-05:00", NEW_YORK),
        "2026-07-01T00:00-04:00",
        ["07-01 09:00-04:00", "07-02 09:00-04:00"],
    ),
    (
        every(DAY, "2026-01-01T02:30-05:00", NEW_YORK),
        "2026-03-07T00:00-05:00",
        ["03-07 02:30-05:00", "03-08 03:30-04:00", "03-09 02:30-04:00"],
    ),
    (
        every(DAY, "2025-11-02T01:30-05:00", NEW_YORK),
        "2025-11-02T00:00-04:00",
        ["11-02 01:30-05:00", "11-03 01:30-05:00"],
    ),
    (
        every(DAY, "2011-12-25T12:00-10:00", "Pacific/Apia"),
        "2011-12-29T00:00-10:00",
        ["12-29 12:00-10:00", "12-31 12:00+14:00"],
    ),
    # an interval of hours counts real hours, the rest of a mixed one too
    (
        every(3600.0, "2026-01-01T07:30+00:00", NEW_YORK),
        "2026-11-01T05:00Z",
        ["11-01 01:30-04:00", "11-01 01:30-05:00", "11-01 02:30-05:00"],
    ),
    (
        every(1.5 * DAY, "2026-03-05T00:00-05:00", NEW_YORK),
        "2026-03-06T00:00-05:00",
        ["03-06 12:00-05:00", "03-08 00:00-05:00", "03-09 12:00-04:00", "03-11 00:00-04:00"],
    ),
    (
        every(1.5 * DAY, "2026-03-06T12:00-05:00", NEW_YORK),
        "2026-03-06T12:00-05:00",
        ["03-06 12:00-05:00", "03-08 00:00-05:00", "03-09 12:00-04:00"],
    ),
]


@pytest.mark.parametrize(("schedule", "start", "expected"), CASES)
def test_a_schedule_follows_the_wall_clock(
    schedule: Schedule, start: str, expected: list[str]
) -> None:
    begin = datetime.fromisoformat(start)
    times = list(fire_times(schedule, begin, limit=len(expected)))
    assert [f"{moment:%m-%d %H:%M}{moment.isoformat()[-6:]}" for moment in times] == expected
