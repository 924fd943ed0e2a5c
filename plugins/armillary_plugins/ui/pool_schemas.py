"""What the pages of work pools and queues show, and what may be changed there."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from armillary_web.pages import TwinPaths

Status = Literal["ready", "unpolled", "paused"]


class Hindrance(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing runs, or no more than what does, and what helps."""

    grave: bool
    """Nobody has meant it to be so."""
    text: str
    commands: tuple[str, ...] = ()
    """Each would help."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs there are; nothing above a bound is counted, which is then said."""

    running: int = 0
    waiting: int = 0
    """Due by now."""
    late: int = 0
    """Of those that wait."""
    running_capped: bool = False
    waiting_capped: bool = False


class PoolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A work pool in a list, and at the top of its page."""

    id: str
    name: str
    type: str
    description: str | None
    status: Status
    paused: bool
    limit: int | None
    load: Load
    workers: int
    """Heard of at any time."""
    workers_online: int
    queues: int
    last_heard: datetime | None
    """When a worker, or whoever polls a queue, was last heard of."""
    created: datetime
    hindrance: Hindrance | None = None


class PoolTwin(msgspec.Struct, frozen=True, kw_only=True):
    """A work pool in a list for programs."""

    id: str
    name: str
    type: str
    description: str | None
    status: Status
    limit: int | None
    running: int
    waiting: int
    late: int
    workers_online: int
    queues: int
    last_heard: datetime | None
    created: datetime
    hindrance: str | None


class PoolPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list of work pools."""

    rows: tuple[PoolRow, ...]
    live_path: str
    twins: TwinPaths
    back: str
    """Where this list is, to come back to."""
    name: str = ""
    """Part of the name that is searched for."""
    any_pools: bool = True
    previous_path: str | None = None
    next_path: str | None = None

    @property
    def in_need(self) -> tuple[PoolRow, ...]:
        """Pools for whose runs nobody asks, though some wait."""
        return tuple(
            row for row in self.rows if row.load.waiting and row.hindrance and row.hindrance.grave
        )


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    """A work queue: in its pool's list, and on its own page."""

    id: str
    name: str
    description: str
    priority: int
    status: Status
    paused: bool
    limit: int | None
    load: Load
    last_polled: datetime | None
    is_default: bool
    pool_name: str
    hindrance: Hindrance | None = None


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A worker, or an agent, of a pool."""

    id: str
    name: str
    online: bool
    last_heard: datetime
    interval: int | None
    """Seconds between two signs of life, as it says itself."""
    first_seen: datetime


class PoolDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A work pool on its own page."""

    pool: PoolRow
    queues: tuple[QueueRow, ...]
    workers: tuple[WorkerRow, ...]
    live_path: str
    back: str
    queue_twins: TwinPaths
    worker_twins: TwinPaths
    more_queues: int = 0
    """Queues that are not shown."""
    more_workers: int = 0


class LimitForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it was sent, with what is wrong with it."""

    limit: str = ""
    limit_error: str | None = None
    priority: str = ""
    priority_error: str | None = None
    saved: bool = False
