"""What the page of the system shows: services, jobs, plugins, database."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from armillary_web.pages import TwinPaths

ServiceState = Literal["well", "failing", "overdue", "new", "elsewhere"]
PluginState = Literal["loaded", "disabled", "left out"]


class ServiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A service: a loop, a consumer, a worker of jobs, or something of its own kind."""

    name: str
    plugin: str
    kind: str
    state: ServiceState
    interval: float | None = None
    """Seconds between two turns of a loop."""
    last: datetime | None = None
    """When it last did what it is for."""
    times: int = 0
    failures: int = 0
    failed: datetime | None = None
    error: str | None = None
    """What went wrong last."""
    lag: int | None = None
    """Messages that wait for a consumer."""
    lag_more: bool = False
    """There are more, which were not counted."""
    left_out: int = 0
    """Messages a consumer could not handle in any attempt."""


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is under way, waits, or is dead."""

    id: str
    queue: str
    job: str
    key: str
    state: str
    arguments: str
    """JSON text."""
    created: datetime
    due: datetime
    started: datetime | None
    ended: datetime | None
    attempts: int
    attempts_allowed: int
    progress: float
    note: str | None
    error: str | None
    discardable: bool
    """Nothing that must be done rests on it."""


class QueueTotals(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs of a plugin there are in each state."""

    queue: str
    waiting: int = 0
    active: int = 0
    done: int = 0
    """In the last hour."""
    dead: int = 0


class PluginRow(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin that is found."""

    name: str
    summary: str
    state: PluginState
    reason: str | None
    """Why it is left out."""
    installed: str
    """The name and version of what it was installed by; empty for what ships."""
    runs: str
    """What there is to run of it."""
    requires: tuple[str, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is, and where its data is."""

    version: str
    prefect_version: str
    api_version: str
    python: str
    started: datetime | None
    address: str
    targets: str
    database: str
    """Its kind and version."""
    place: str
    size: int
    """Bytes."""


class SystemPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page of the system."""

    facts: Facts
    services: tuple[ServiceRow, ...]
    queues: tuple[QueueTotals, ...]
    dead: tuple[JobRow, ...]
    dead_count: int
    others: tuple[JobRow, ...]
    """Jobs that are under way or wait."""
    plugins: tuple[PluginRow, ...]
    live_path: str
    service_twins: TwinPaths
    job_twins: TwinPaths
    plugin_twins: TwinPaths

    @property
    def left_out(self) -> tuple[PluginRow, ...]:
        """Plugins the server does without."""
        return tuple(plugin for plugin in self.plugins if plugin.state == "left out")

    @property
    def unwell(self) -> tuple[ServiceRow, ...]:
        """Services that fail, or should have taken a turn."""
        return tuple(each for each in self.services if each.state in {"failing", "overdue"})
