"""Bounds of the server made small, so that what seldom happens happens often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from armillary.broker import embedded
from armillary.db import sqlite_writer
from armillary.deleting import deletions
from armillary.deployments import scheduling
from armillary.deployments.scheduling import Horizon
from armillary.events import intake
from armillary_plugins.event_persister.consumers import StoreEvents
from armillary_plugins.event_websockets.consumers import FanOut
from armillary_plugins.events.repository import storing
from armillary_plugins.server_background import jobs as server_background


@dataclass(frozen=True)
class Tuning:
    """Constants of the code, and settings, under other values."""

    constants: tuple[tuple[Any, str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


TUNINGS = {
    "short reads of the outbox": Tuning(((embedded, "_READ", 3), (embedded, "_QUEUE", 200))),
    "an outbox that is trimmed early": Tuning(
        ((embedded, "_TRIM_AFTER", 3), (embedded, "_TRIM", 2))
    ),
    "positions that are stored late": Tuning(((embedded, "_STORE_AFTER", 20.0),)),
    "commits of two units": Tuning(((sqlite_writer, "_GROUP", 2),)),
    "an intake that forgets": Tuning(
        ((intake, "_CHUNK", 2), (intake, "_UNDER_WAY", 2), (intake, "_REMEMBERED", 3))
    ),
    "consumers of two messages": Tuning(
        (
            (StoreEvents, "batch", 2),
            (FanOut, "batch", 2),
            (storing, "_EVENTS", 2),
            (storing, "_RESOURCES", 3),
        )
    ),
    "schedules followed a little ahead": Tuning(
        ((scheduling, "_AT_ONCE", Horizon(min_runs=1, min_time=timedelta(minutes=5))),),
        {"scheduler.min_time": 300.0, "scheduler.min_runs": 1},
    ),
    "turns of two runs": Tuning(
        settings={
            "cancellation_cleanup.batch": 2,
            "concurrency.batch": 4,
            "fail_expired_pauses.batch": 2,
            "mark_late_runs.batch": 2,
            "scheduler.deployments": 1,
        }
    ),
}


ALWAYS = (
    (deletions, "AT_ONCE", 2),
    (deletions, "AT_A_TIME", 3),
    (server_background, "_PAUSE", 0.1),
)
"""What is small in every world: deletions, so that next to each has a job, and that a long one."""


@contextmanager
def tuned(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Have the constants so meanwhile; what is yielded are the settings."""
    chosen = [TUNINGS[name] for name in names]
    with ExitStack() as stack:
        for owner, name, value in (*ALWAYS, *(each for one in chosen for each in one.constants)):
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        yield {name: value for one in chosen for name, value in one.settings.items()}
