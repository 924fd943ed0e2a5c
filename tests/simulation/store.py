"""The real SQLite engine without threads: a commit takes time, and a kill drops what is open."""

from __future__ import annotations

import asyncio
import contextvars
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from armillary.clock import Clock
from armillary.db.commits import CommitThread
from armillary.db.short_reads import ShortReads
from armillary.db.sqlite import SqliteDatabase
from tests.simulation.disk import Disk, OnDisk
from tests.simulation.timeline import Process, here

COMMIT_SECONDS = (0.0002, 0.004)
_SLOW_SECONDS = (0.05, 0.5)
_TOO_EARLY = 0.7
"""How often a kill in a commit comes before it is done."""
READ_SECONDS = (0.00005, 0.001)


class _Commits(CommitThread):
    """Where the writer sends its commits: done a little later, on the loop."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def submit(self, work: Callable[..., object], /, *args: object) -> None:
        loop, process = asyncio.get_running_loop(), here()
        if process is None or not process.in_last_commit():
            loop.call_later(self._chance.uniform(*COMMIT_SECONDS), work, *args)
        else:
            _last(loop, process, self._chance, lambda: work(*args))

    def shutdown(self) -> None:
        """There is no thread."""


def _last(
    loop: asyncio.AbstractEventLoop,
    process: Process,
    chance: random.Random,
    commit: Callable[[], Any],
) -> None:
    """Commit on a slow disk, and be killed before that, or before anybody hears of it."""
    delay = chance.uniform(*_SLOW_SECONDS)
    if chance.random() < _TOO_EARLY:
        loop.call_later(delay * chance.random(), process.kill, context=contextvars.Context())

    def commit_and_die() -> None:
        commit()
        process.kill()

    loop.call_later(delay, commit_and_die)


class _Scanner:
    """A reader connection: reads at once and answers late, or the other way round."""

    def __init__(self, connection: sqlite3.Connection, chance: random.Random) -> None:
        self._connection = connection
        self._chance = chance

    async def execute_fetchall(self, sql: str, args: Any = ()) -> list[Any]:
        seconds = self._chance.uniform(*READ_SECONDS)
        if self._chance.random() < 0.5:
            await asyncio.sleep(seconds)
            return self._connection.execute(sql, args).fetchall()
        rows = self._connection.execute(sql, args).fetchall()
        await asyncio.sleep(seconds)
        return rows

    async def close(self) -> None:
        """The connection is closed with the others."""


class _SlowOrShort(ShortReads):
    """Reads of which some are short, and the others answered as by a thread."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, chance: random.Random) -> None:
        super().__init__(connection, clock)
        self._chance = chance

    def all(self, sql: str, args: Any) -> Any:
        return super().all(sql, args) if self._chance.random() < 0.2 else None


class SimulatedSqlite(SqliteDatabase):
    """What a process has of the file; the file outlives it."""

    def __init__(self, path: Path, clock: Clock, chance: random.Random, disk: Disk) -> None:
        super().__init__(path, clock, synchronous="off")
        self._chance = chance
        self._disk = disk

    async def open(self) -> None:
        await super().open()
        self.short_reads = _SlowOrShort(self.reading, self.clock, self._chance)
        self._writer._threads = _Commits(self._chance)
        self._writer._connection = OnDisk(self.writing, self._disk)  # type: ignore[assignment]

    async def _scanner(self) -> Any:
        return _Scanner(self.reading, self._chance)

    def cut(self) -> None:
        """What a kill does: what is not committed is gone."""
        for connection in reversed(self._connections):
            connection.close()
        self._connections.clear()
