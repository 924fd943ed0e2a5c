"""Work for later: asked for inside a unit of work, done at least once, where its plugin runs.

::

    unit.run(…)                                        the change
    await enqueue(unit, Wanted(…))  ── one commit ──▶  a row of `job`, and a message that wakes
                                                            │
    waiting ──claimed──▶ active ──▶ done                    ▼
       ▲                   │  └────▶ dead: its attempts are used up; shown until somebody retries it
       └── failed, killed ─┘

The row is the truth: whether there is a job is decided by the commit of whoever wants it, and how
it goes is read from there.  A worker holds a row for a minute and prolongs that while it lives;
a row whose worker died is taken up again.  So a job may be done twice, and must bear that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from armillary.jobs.running import Running

TOPIC = "jobs"
"""The topic of the messages that wake workers; they carry a queue's name."""

Work: TypeAlias = "Callable[..., Awaitable[None]]"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of work that a plugin does: an async function of a :class:`Running` and arguments."""

    name: str
    work: Work
    timeout: int = 0
    """Seconds an attempt may take; 0 for any time."""

    async def __call__(self, running: Running, **arguments: Any) -> None:
        """Do it."""
        await self.work(running, **arguments)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A job that somebody wants done."""

    id: str
    queue: str
    """The plugin whose job it is."""
    job: str
    key: str
    """Two jobs of a queue with one key are one, until it is done."""
    arguments: Mapping[str, object] = {}
    start: int = 0
    """When it is due, in microseconds since the epoch; 0 for at once."""
    group: str | None = None
    """Of the jobs of a group one is done at a time."""
    attempts: int = 10
