"""A disk that is full for a while: whatever would write to it fails, in every way SQLite knows."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable
from typing import Any

_STATEMENT = 0.2
"""How often a statement fails already; what is left fails when it is committed."""
_ENDED = 0.5
"""How often SQLite has ended the transaction by itself when it says so."""
_READS = ("select", "pragma", "savepoint", "release", "rollback", "begin", "with", "create")
"""What needs no room by itself: a table that is created at a start is there already."""


class Disk:
    """What the file lies on; it outlives the processes."""

    def __init__(self, chance: random.Random) -> None:
        self.full = False
        self._chance = chance

    def refuses(self, sql: str) -> bool:
        """Tell whether this statement finds no room."""
        if not self.full or sql.lstrip()[:9].lower().startswith(_READS):
            return False
        return sql == "commit" or self._chance.random() < _STATEMENT

    def ends(self) -> bool:
        """Tell whether the transaction is gone as well."""
        return self._chance.random() < _ENDED


class OnDisk:
    """The connection that writes."""

    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self._connection = connection
        self._disk = disk
        self._before = 0

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, args: Any = ()) -> sqlite3.Cursor:
        if sql.startswith("begin"):
            self._before = self._connection.total_changes
        if sql != "commit" or self._before != self._connection.total_changes:
            self._check(sql)
        return self._connection.execute(sql, args)

    def executemany(self, sql: str, rows: Iterable[Any]) -> sqlite3.Cursor:
        self._check(sql)
        return self._connection.executemany(sql, rows)

    def _check(self, sql: str) -> None:
        if not self._disk.refuses(sql):
            return
        if self._disk.ends():
            self._connection.execute("rollback")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        error.sqlite_errorname = "SQLITE_FULL"
        raise error
