"""Schedules in words, and when they fire next in their own zones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from armillary.deployments.schedules import (
    CronSchedule,
    IntervalSchedule,
    Schedule,
    ScheduleError,
    fire_times,
    parse_schedule,
)
from armillary_plugins.ui.deployment_schemas import Fire, ScheduleRow
from armillary_web.filters import duration

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def schedule_row(row: Sequence[Any], *, now: datetime, fires: int, **more: Any) -> ScheduleRow:
    """Shape a row of id, deployment, schedule, active and slug, with the next times it fires."""
    try:
        schedule = _parsed(row[2])
        moments = _ahead(row[2], fires).times(schedule, now) if fires else ()
    except (ScheduleError, OverflowError, ValueError) as error:
        return ScheduleRow(
            id=row[0],
            deployment_id=row[1],
            words=str(row[2]),
            timezone=None,
            active=bool(row[3]),
            slug=row[4],
            problem=str(error),
            **more,
        )
    return ScheduleRow(
        id=row[0],
        deployment_id=row[1],
        words=words_of(schedule),
        timezone=schedule.timezone or "UTC",
        active=bool(row[3]),
        slug=row[4],
        fires=tuple(_fires(moments)),
        **more,
    )


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Schedule:
    """Read a stored schedule: it is complete, so that the time it is read at means nothing."""
    return parse_schedule(text.encode(), now=_ANY_TIME)


class _Ahead:
    """The next times of a schedule: they hold until the first of them has come."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._since: datetime | None = None
        self._moments: tuple[datetime, ...] = ()

    def times(self, schedule: Schedule, now: datetime) -> tuple[datetime, ...]:
        """Return the times from ``now`` on."""
        since, moments = self._since, self._moments
        if since is None or not moments or not since <= now <= moments[0]:
            self._moments = tuple(fire_times(schedule, now, limit=self._count))
            self._since = now
        return self._moments


@lru_cache(maxsize=4096)
def _ahead(text: str, count: int) -> _Ahead:  # noqa: ARG001 - each text has its own
    return _Ahead(count)


def words_of(schedule: Schedule) -> str:
    """Say in short when a schedule fires."""
    if isinstance(schedule, CronSchedule):
        return f"cron {schedule.cron}"
    if isinstance(schedule, IntervalSchedule):
        return f"every {duration(schedule.interval)}"
    rules = [line for line in schedule.rrule.split() if not line.startswith("DTSTART")]
    return " ".join(line.removeprefix("RRULE:") for line in rules) or schedule.rrule


def _fires(moments: Sequence[datetime]) -> list[Fire]:
    offsets = [moment.utcoffset() for moment in moments]
    return [
        Fire(moment=moment, shifted=place > 0 and offsets[place - 1] != offsets[place])
        for place, moment in enumerate(moments)
    ]
