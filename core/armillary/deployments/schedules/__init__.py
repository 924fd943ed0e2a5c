"""Schedules: read, checked and turned into the times at which runs start."""

from __future__ import annotations

from armillary.deployments.schedules.errors import ScheduleError
from armillary.deployments.schedules.firing import fire_times, horizon, idempotency_key
from armillary.deployments.schedules.shape import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    Schedule,
    dump_schedule,
    parse_schedule,
)

__all__ = [
    "CronSchedule",
    "IntervalSchedule",
    "RRuleSchedule",
    "Schedule",
    "ScheduleError",
    "dump_schedule",
    "fire_times",
    "horizon",
    "idempotency_key",
    "parse_schedule",
]
