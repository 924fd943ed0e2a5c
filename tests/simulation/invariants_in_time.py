"""What must happen soon while the server lives: looked at every few seconds, not only at the end.

Something is overdue when it was seen in every look for so long, and no kill came between.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

EVERY = 5.0
"""Seconds between two looks."""
_ANSWER = 2.0
_STORED = 7.0
_LEASES = 45.0
_JOBS = 20.0

_UNSTORED = """
select o.event_id from outbox o
where o.topic = 'events' and not exists (
  select 1 from event e where e.workspace = o.workspace and e.id = o.event_id)
"""
_RUN_OUT = "select id from concurrency_lease where expires <= ?"
_DUE = "select id, job from job where state = 'waiting' and scheduled <= ?"
_OF_THE_ENDED = """
select c.id, c.holder_type, c.holder_id from concurrency_lease c
  left join flow_run f on c.holder_type = 'flow_run' and f.id = c.holder_id
  left join task_run t on c.holder_type = 'task_run' and t.id = c.holder_id
where coalesce(f.state_type, t.state_type) in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
"""


class InTime:
    """Remembers since when something is seen that must soon be over."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def forget(self) -> None:
        """The server was killed: everything has its time again."""
        self._since.clear()

    def overdue(
        self,
        rows: sqlite3.Connection,
        elapsed: float,
        micros: int,
        asked: Iterable[tuple[str, float]],
    ) -> list[str]:
        """What should be over by now; ``asked`` is what waits for an answer, and since when."""
        seen = dict(self._pending(rows, micros))
        self._since = {each: self._since.get(each, elapsed) for each in seen}
        wrong = [each for each, since in self._since.items() if elapsed - since > seen[each]]
        return [*wrong, *(f"{what} waits for an answer" for what, since in asked
                          if elapsed - since > _ANSWER)]  # fmt: skip

    def _pending(self, rows: sqlite3.Connection, micros: int) -> Iterator[tuple[str, float]]:
        ask = rows.execute
        for (event,) in ask(_UNSTORED):
            yield f"event {event} is not stored yet", _STORED
        for (lease,) in ask(_RUN_OUT, (micros,)):
            yield f"lease {lease} has run out and is kept", _LEASES
        for job, what in ask(_DUE, (micros,)):
            yield f"job {job}, {what}, is due and nobody does it", _JOBS
        for lease, kind, holder in ask(_OF_THE_ENDED):
            yield f"lease {lease} is kept by {kind} {holder}, which has ended", _LEASES
