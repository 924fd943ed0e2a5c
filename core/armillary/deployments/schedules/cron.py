"""Cron expressions: checked, and followed over the wall clock of a zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from croniter import croniter
from croniter.croniter import CroniterBadDateError

from armillary.deployments.schedules.errors import ScheduleError

MAX_LENGTH = 1000

_SECOND = timedelta(seconds=1)
_BY_CHANCE = re.compile(r"(?:^|,)[hr](?:\(|/|,|$)", re.IGNORECASE)


def check_cron(expression: str) -> None:
    """Refuse what is not a cron expression of five or six fields, an alias such as ``@daily``."""
    if len(expression) > MAX_LENGTH:
        raise ScheduleError(
            f"The cron expression has {len(expression)} characters; {MAX_LENGTH} are allowed."
        )
    if any(_BY_CHANCE.search(field) for field in expression.split()):
        raise ScheduleError(
            f"The cron expression {expression!r} has a field left to chance (H or R); "
            "name the values instead."
        )
    if not croniter.is_valid(expression):
        raise ScheduleError(
            f"The cron expression {expression!r} is not valid; give five fields (minute, hour, "
            "day of month, month, day of week), a sixth for seconds, for example '0 9 * * 1-5'."
        )


def cron_walls(expression: str, *, since: datetime, day_or: bool) -> Iterator[datetime]:
    """The naive wall times an expression names, from ``since`` (included) on."""
    whole = since.replace(microsecond=0)
    ticks = croniter(
        expression,
        whole if whole < since else whole - _SECOND,
        ret_type=datetime,
        day_or=day_or,
    )
    while True:
        try:
            wall: datetime = ticks.get_next(datetime)
        except (CroniterBadDateError, OverflowError):
            return  # the expression names no further date, the thirtieth of February for instance
        yield wall
