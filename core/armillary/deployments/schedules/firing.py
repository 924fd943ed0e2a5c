"""When schedules fire: the one question the scheduler, the editor and backfills ask."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from armillary.deployments.schedules.interval import interval_times
from armillary.deployments.schedules.recurrence import occurrences
from armillary.deployments.schedules.rule import LAST_WALL, read_rules
from armillary.deployments.schedules.shape import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    Schedule,
)
from armillary.deployments.schedules.zones import first_wall, in_order, zone_of

MAX_FIRES = 1000

_MARGIN = timedelta(days=2)


def fire_times(
    schedule: Schedule, start: datetime, end: datetime | None = None, limit: int = MAX_FIRES
) -> Iterator[datetime]:
    """The times from ``start`` to ``end`` (both included), ascending, in the schedule's zone."""
    for moment in islice(_endless(schedule, start, end), limit):
        if end is not None and moment > end:
            return
        yield moment


def horizon(  # noqa: PLR0913 - four bounds, as the settings have them
    schedule: Schedule,
    *,
    now: datetime,
    min_runs: int,
    max_runs: int,
    min_time: timedelta,
    max_time: timedelta,
) -> list[datetime]:
    """The times for which runs should exist now.

    Generated until there are ``max_runs``, or ``max_time`` is exceeded, or both ``min_runs`` and
    ``min_time`` are reached.
    """
    times: list[datetime] = []
    for moment in fire_times(schedule, now, now + max_time, max_runs):
        times.append(moment)
        if len(times) >= min_runs and moment >= now + min_time:
            break
    return times


def idempotency_key(deployment_id: str, schedule_id: str, moment: datetime) -> str:
    """The key that keeps a slot from being scheduled twice, in whatever zone it is written."""
    return f"scheduled {deployment_id} {schedule_id} {moment.astimezone(UTC)}"


def _endless(schedule: Schedule, start: datetime, end: datetime | None) -> Iterator[datetime]:
    zone = zone_of(schedule.timezone)
    if isinstance(schedule, IntervalSchedule):
        return interval_times(
            timedelta(seconds=schedule.interval), schedule.anchor_date, zone, start=start
        )
    since = first_wall(start, zone)
    walls = (
        _cron_walls(schedule, since)
        if isinstance(schedule, CronSchedule)
        else _rule_walls(schedule, since, end)
    )
    return (moment for moment in in_order(walls, zone) if moment >= start)


def _cron_walls(schedule: CronSchedule, since: datetime) -> Iterator[datetime]:
    from armillary.deployments.schedules.cron import cron_walls  # noqa: PLC0415 - 40 ms at start

    return cron_walls(schedule.cron, since=since, day_or=schedule.day_or)


def _rule_walls(
    schedule: RRuleSchedule, since: datetime, end: datetime | None
) -> Iterator[datetime]:
    rules = read_rules(schedule.rrule, schedule.timezone)
    until = LAST_WALL
    if end is not None and end.replace(tzinfo=None) < LAST_WALL - _MARGIN:
        until = end.replace(tzinfo=None) + _MARGIN
    return occurrences(rules, since=since, until=until)
