"""Time, chance and sleep, injected: the only caller of the system's clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Where everything in the server gets its time from."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def micros(self) -> int:
        """Return the present moment in microseconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def micros(self) -> int:
        """Return the present moment in microseconds since the epoch."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def to_micros(moment: datetime) -> int:
    """Turn an aware datetime into microseconds since the epoch, as stored."""
    return (moment - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Turn stored microseconds into an aware datetime in UTC."""
    return EPOCH + timedelta(0, 0, micros)  # by name it takes half as long again


def maybe_micros(moment: datetime | None) -> int | None:
    """Like :func:`to_micros`, keeping None."""
    return None if moment is None else (moment - EPOCH) // _MICROSECOND


def maybe_moment(micros: int | None) -> datetime | None:
    """Like :func:`from_micros`, keeping None."""
    return None if micros is None else EPOCH + timedelta(0, 0, micros)
