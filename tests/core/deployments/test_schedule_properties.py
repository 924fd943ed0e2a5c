"""Properties of all schedules, and the recurrence engine against dateutil as a second opinion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from armillary.deployments.schedules import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    Schedule,
    ScheduleError,
    dump_schedule,
    fire_times,
    horizon,
    parse_schedule,
)
from armillary.deployments.schedules.recurrence import occurrences
from armillary.deployments.schedules.rule import read_rules
from tests.model.effort import tries


def wall(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day)  # noqa: DTZ001 - rules live on the wall clock


ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
CLOCK_CHANGES = st.sampled_from(
    [
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        datetime(2026, 4, 4, 15, tzinfo=UTC),
    ]
)
STARTS = st.one_of(
    st.datetimes(wall(2024, 1, 1), wall(2030, 1, 1)).map(lambda d: d.replace(tzinfo=UTC)),
    st.builds(
        lambda change, minutes, micros: change + timedelta(minutes=minutes, microseconds=micros),
        CLOCK_CHANGES,
        st.integers(-1500, 1500),
        st.sampled_from([0, 1, 999_999]),
    ),
)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    return st.one_of(
        st.just("*"),
        number.map(str),
        st.integers(2, max(2, high // 2)).map(lambda step: f"*/{step}"),
        st.lists(number, min_size=1, max_size=3).map(lambda ns: ",".join(map(str, ns))),
    )


CRONS = st.builds(
    lambda *fields: CronSchedule(cron=" ".join(fields[:3]) + " * *", timezone=fields[3]),
    field(0, 59),
    field(0, 23),
    st.sampled_from(["*", "*", "8", "1,29"]),
    ZONES,
)
INTERVALS = st.builds(
    lambda seconds, anchor, zone: IntervalSchedule(
        interval=float(seconds), anchor_date=anchor, timezone=zone
    ),
    st.one_of(
        st.integers(1, 4 * 86400),
        st.sampled_from([86400, 7 * 86400, 90000, 0.5, 3600]),
    ),
    STARTS,
    ZONES,
)


def several(low: int, high: int) -> st.SearchStrategy[str]:
    return st.lists(st.integers(low, high).filter(bool), min_size=1, max_size=3, unique=True).map(
        lambda ns: ",".join(map(str, ns))
    )


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(
        st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"])
    )
    parts = [f"FREQ={freq}"]
    optional = {
        "INTERVAL": st.integers(1, 5).map(str),
        "WKST": st.sampled_from(["MO", "SU"]),
        "BYMONTH": several(1, 12),
        "BYMONTHDAY": several(-31, 31),
        "BYDAY": st.sampled_from(["MO", "TU,TH", "1MO,-1FR", "SA,SU", "2WE"]),
        "BYYEARDAY": several(-366, 366),
        "BYHOUR": several(1, 23),
        "BYMINUTE": several(1, 59),
        "BYSECOND": several(1, 59),
        "BYSETPOS": several(-3, 3),
        "COUNT": st.integers(1, 60).map(str),
    }
    if freq == "YEARLY":
        optional["BYWEEKNO"] = several(2, 50)
        optional["BYEASTER"] = several(-60, 60)
    chosen = draw(st.lists(st.sampled_from(sorted(optional)), max_size=3, unique=True))
    parts += [f"{name}={draw(optional[name])}" for name in chosen]
    start = draw(st.datetimes(wall(2023, 1, 1), wall(2024, 12, 31)))
    return f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:{';'.join(parts)}"


RULES = st.builds(lambda text, zone: RRuleSchedule(rrule=text, timezone=zone), rules(), ZONES)
SCHEDULES = st.one_of(CRONS, INTERVALS, RULES)


END = datetime(2033, 1, 1, tzinfo=UTC)


def first(schedule: Schedule, start: datetime, number: int) -> list[datetime]:
    try:
        return list(fire_times(schedule, start, max(start, END), number))
    except ScheduleError as error:
        assume("takes too long" not in str(error))
        raise


@given(SCHEDULES, STARTS)
@settings(deadline=None, max_examples=tries(75))
def test_times_ascend_without_duplicates_from_the_start_on(
    schedule: Schedule, start: datetime
) -> None:
    moments = [moment.astimezone(UTC) for moment in first(schedule, start, 20)]
    assert moments == sorted(set(moments))
    assert all(moment >= start for moment in moments)


@given(SCHEDULES, STARTS)
@settings(deadline=None, max_examples=tries(75))
def test_the_start_is_included_and_running_again_gives_the_same_slots(
    schedule: Schedule, start: datetime
) -> None:
    moments = first(schedule, start, 12)
    assume(len(moments) > 4)
    for place in (0, 3):
        again = first(schedule, moments[place].astimezone(UTC), 12 - place)
        assert [str(moment) for moment in again] == [str(moment) for moment in moments[place:]]


@given(SCHEDULES, STARTS)
@settings(deadline=None, max_examples=tries(75))
def test_no_slot_appears_later_between_slots_already_known(
    schedule: Schedule, start: datetime
) -> None:
    moments = first(schedule, start, 8)
    assume(len(moments) == 8)
    just_after = moments[2].astimezone(UTC) + timedelta(microseconds=1)
    assert first(schedule, just_after, 5) == moments[3:]


@given(SCHEDULES, STARTS, st.integers(0, 5), st.integers(1, 40), st.integers(0, 48))
@settings(deadline=None, max_examples=tries(75))
def test_the_horizon_keeps_its_bounds(
    schedule: Schedule, now: datetime, min_runs: int, max_runs: int, hours: int
) -> None:
    min_time, max_time = timedelta(hours=hours), timedelta(days=100)
    try:
        times = horizon(
            schedule,
            now=now,
            min_runs=min_runs,
            max_runs=max_runs,
            min_time=min_time,
            max_time=max_time,
        )
    except ScheduleError as error:
        assume("takes too long" not in str(error))
        raise
    assert len(times) <= max_runs
    assert all(now <= moment <= now + max_time for moment in times)
    beyond = [moment for moment in times if moment >= now + min_time]
    assert len(times) <= max(min_runs, len(times) - len(beyond) + 1)


@given(SCHEDULES, STARTS)
@settings(deadline=None, max_examples=tries(50))
def test_a_schedule_survives_the_wire(schedule: Schedule, now: datetime) -> None:
    assert parse_schedule(dump_schedule(schedule), now=now) == schedule


REACH = {"SECONDLY": 3600, "MINUTELY": 3 * 86400, "HOURLY": 60 * 86400}


@given(rules(), st.floats(-0.1, 1))
@settings(
    deadline=None, max_examples=tries(80), suppress_health_check=[HealthCheck.filter_too_much]
)
def test_the_recurrence_engine_agrees_with_dateutil(text: str, far: float) -> None:
    freq = text.partition("FREQ=")[2].partition(";")[0]
    plain_days = "BYDAY=1MO,-1FR" not in text
    assume(text.count("BY") < {"SECONDLY": 1, "MINUTELY": 2, "HOURLY": 3}.get(freq, 9))  # it walks
    assume(plain_days or "BYSETPOS" not in text)
    start = datetime.strptime(text[8:23], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the wall clock
    since = start + timedelta(seconds=int(far * REACH.get(freq, 900 * 86400)))
    until = since + timedelta(days=500)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dateutil.rrule.datetime.MAXYEAR", since.year + 2)  # it walks to the end
            expected = list(islice(rrulestr(text).xafter(since, inc=True), 5))
    except ValueError:
        reject()
    try:
        found = list(islice(occurrences(read_rules(text, None), since=since, until=until), 5))
    except ScheduleError as error:
        assume("takes too long" not in str(error))
        raise
    assert found == [moment for moment in expected if moment <= until]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=7",
        "FREQ=MINUTELY;COUNT=1000000000",
        "FREQ=SECONDLY;BYHOUR=3;BYMINUTE=5",
        "FREQ=MINUTELY;BYDAY=SU",
        "RRULE:FREQ=SECONDLY\nRRULE:FREQ=MINUTELY\nEXRULE:FREQ=HOURLY",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    ],
)
def test_an_old_rule_of_seconds_costs_no_walk_from_its_start(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("armillary.deployments.schedules.recurrence.MAX_WORK", 3000)
    schedule = RRuleSchedule(rrule=f"DTSTART:19700101T000000\n{text}", timezone="Europe/London")
    start = datetime(2026, 11, 21, 5, 5, 5, tzinfo=UTC)
    times = horizon(
        schedule,
        now=start,
        min_runs=3,
        max_runs=100,
        min_time=timedelta(hours=1),
        max_time=timedelta(days=100),
    )
    assert bool(times) == ("BYMONTHDAY=30" not in text)


@pytest.mark.parametrize(
    "text",
    [
        "RRULE:FREQ=SECONDLY\nEXRULE:FREQ=SECONDLY",
        "FREQ=SECONDLY;INTERVAL=60;BYSECOND=5",
        "FREQ=MINUTELY;COUNT=500000000;BYDAY=MO",
    ],
)
def test_a_rule_that_would_run_for_ever_is_given_up_with_an_error(text: str) -> None:
    schedule = RRuleSchedule(rrule=f"DTSTART:20200101T000000\n{text}")
    with pytest.raises(ScheduleError, match="takes too long"):
        list(fire_times(schedule, datetime(2026, 11, 21, tzinfo=UTC), limit=1))


@pytest.mark.parametrize(
    "schedule",
    [
        IntervalSchedule(interval=86400.0, anchor_date=datetime(2026, 1, 1, tzinfo=UTC)),
        IntervalSchedule(interval=3600.0, anchor_date=datetime(2026, 1, 1, tzinfo=UTC)),
        CronSchedule(cron="0 0 * * *"),
        RRuleSchedule(rrule="FREQ=DAILY"),
        RRuleSchedule(rrule="FREQ=MINUTELY;BYHOUR=1"),
    ],
)
def test_the_calendar_ends_without_an_error(schedule: Schedule) -> None:
    start = datetime(9999, 12, 29, 12, tzinfo=UTC)
    assert [moment.day for moment in fire_times(schedule, start, limit=1000)][-1] == 31
