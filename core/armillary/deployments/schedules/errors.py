"""The one error of schedules."""

from __future__ import annotations


class ScheduleError(ValueError):
    """A schedule that cannot be used; the message says what is wrong, where, and what to do."""
