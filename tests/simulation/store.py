"""The real SQLite engine without threads: a commit takes time, and a kill drops what is open."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from armillary.clock import Clock
from armillary.db.sqlite import SqliteDatabase

COMMIT_SECONDS = (0.0002, 0.004)
READ_SECONDS = (0.00005, 0.001)


class _Commits(ThreadPoolExecutor):
    """Where the writer sends its commits: done a little later, on the loop."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Any:
        delay = self._chance.uniform(*COMMIT_SECONDS)
        return asyncio.get_running_loop().call_later(delay, fn, *args)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """There is no thread."""


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


class SimulatedSqlite(SqliteDatabase):
    """What a process has of the file; the file outlives it."""

    def __init__(self, path: Path, clock: Clock, chance: random.Random) -> None:
        super().__init__(path, clock, synchronous="off")
        self._chance = chance

    async def open(self) -> None:
        await super().open()
        self._writer._threads = _Commits(self._chance)

    async def _scanner(self) -> Any:
        connection = self._connect(())
        connection.execute("pragma query_only=on")
        return _Scanner(connection, self._chance)

    def cut(self) -> None:
        """What a kill does: what is not committed is gone."""
        for connection in reversed(self._connections):
            connection.close()
        self._connections.clear()
