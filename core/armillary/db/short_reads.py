"""Which reads of SQLite are done on the loop: those that turn out to be short.

Most are, and to hand one to a thread and back takes longer than it does.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

from armillary.clock import Clock
from armillary.db.unit import Row

_STRIDE = 1000
_STRIDES = 20
"""So many thousand steps of SQLite a short read takes at most: some 200 rows."""
_PATIENCE = 0.005
"""Seconds that it may take, where a disk is slow."""
_TURN = 0.02
_READS = 200
"""After so many seconds, and so many reads, without a turn of the loop others are let in."""
_SHUNNED = 256
"""How often a statement that is always long goes to a thread at once, before it is tried again."""
_KNOWN = 1000


class ShortReads:
    """Runs statements on the loop, and breaks off what is not short.

    The like of that is not tried again for a while, which is twice as long each time.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._shunned: dict[str, int] = {}
        self._last_shunned: dict[str, int] = {}
        self._strides = 0
        self._until = 0.0
        self._reads = 0
        """In this turn of the loop."""
        self._turned = 0.0

    def all(self, sql: str, args: Sequence[object]) -> Sequence[Row] | None:
        """Return every row; None where a thread should read them."""
        shunned = self._shunned.get(sql)
        if shunned:
            self._shunned[sql] = shunned - 1
            return None
        now = self._clock.monotonic()
        if self._crowded(now):
            return None
        found = self._tried(sql, args, until=now + _PATIENCE)
        if found is None:
            self._shun(sql)
        elif shunned is not None:
            del self._shunned[sql], self._last_shunned[sql]
        return found

    def _crowded(self, now: float) -> bool:
        """Whether reads alone have kept the loop from everybody else for long enough."""
        if not self._reads:
            self._turned = now
            asyncio.get_running_loop().call_soon(self._turn)
        self._reads += 1
        return self._reads > _READS or now - self._turned > _TURN

    def _turn(self) -> None:
        self._reads = 0

    def _tried(self, sql: str, args: Sequence[object], *, until: float) -> Sequence[Row] | None:
        self._strides, self._until = 0, until
        self._connection.set_progress_handler(self._is_long, _STRIDE)
        try:
            return self._connection.execute(sql, args).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return None
        finally:
            self._connection.set_progress_handler(None, 0)

    def _shun(self, sql: str) -> None:
        if len(self._shunned) >= _KNOWN:
            self._shunned.clear()
            self._last_shunned.clear()
        times = min(2 * self._last_shunned.get(sql, 2), _SHUNNED)
        self._shunned[sql] = self._last_shunned[sql] = times

    def _is_long(self) -> bool:
        self._strides += 1
        return self._strides > _STRIDES or self._clock.monotonic() > self._until
