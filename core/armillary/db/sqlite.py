"""SQLite as a server database: one writer, one reader on the loop thread, two beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from armillary.clock import Clock
from armillary.db.database import Database
from armillary.db.dialect import Dialect
from armillary.db.operation import Operation
from armillary.db.short_reads import ShortReads
from armillary.db.sqlite_writer import Writer, translated
from armillary.db.unit import Reader, Row, Unit
from armillary.errors import ConfigError

T = TypeVar("T")

_READERS = 2
_PRAGMAS = (
    "pragma busy_timeout=5000",
    "pragma journal_mode=wal",
    "pragma synchronous={synchronous}",
    "pragma wal_autocheckpoint=10000",
    "pragma cache_size=-65536",
    "pragma temp_store=memory",
)
_READ_PRAGMAS = (
    "pragma busy_timeout=5000",
    "pragma query_only=on",
    "pragma cache_size=-16384",
    "pragma temp_store=memory",
)


class SqliteReader(Reader):
    """What is short on the loop thread; everything else in a reader thread."""

    dialect = Dialect.SQLITE

    def __init__(self, database: SqliteDatabase, workspace: int | None) -> None:
        super().__init__(workspace)
        self._database = database

    async def one(self, sql: str, *args: object) -> Row | None:
        """Look one row up by key, on the loop."""
        try:
            return self._database.reading.execute(Dialect.SQLITE.sql(sql), args).fetchone()  # type: ignore[no-any-return]
        except sqlite3.Error as error:
            raise translated(error) from error

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        """Read rows."""
        text = Dialect.SQLITE.sql(sql)
        try:
            found = self._database.short_reads.all(text, args)
            if found is not None:
                return found
            return list(await self._database.next_scanner().execute_fetchall(text, args))
        except sqlite3.Error as error:
            raise translated(error) from error


class SqliteDatabase(Database):
    """The embedded database, in one file."""

    dialect = Dialect.SQLITE
    at_once = True

    def __init__(self, path: Path, clock: Clock, *, synchronous: str = "full") -> None:
        super().__init__(clock)
        self.path = path
        self._synchronous = synchronous
        self._connections: list[sqlite3.Connection] = []
        self._scanners: list[aiosqlite.Connection] = []
        self._turn = 0
        self._writer: Writer
        self.reading: sqlite3.Connection
        self.writing: sqlite3.Connection
        self.short_reads: ShortReads

    async def open(self) -> None:
        """Open the file; ConfigError with one sentence if it is no database of ours."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.writing = self._connect(_PRAGMAS)
            self.reading = self._connect(_READ_PRAGMAS)
            self.short_reads = ShortReads(self.reading, self.clock)
            for _ in range(_READERS):
                self._scanners.append(await self._scanner())
        except (sqlite3.Error, OSError) as error:
            await self._disconnect()
            message = (
                f"The database {self.path} cannot be opened ({error}): check that the folder can "
                "be written, or move a damaged file away and start again."
            )
            raise ConfigError(message) from error
        self._writer = Writer(self, self.writing)

    def _connect(self, pragmas: Sequence[str]) -> sqlite3.Connection:
        connection = sqlite3.connect(
            str(self.path), isolation_level=None, check_same_thread=False, cached_statements=512
        )
        self._connections.append(connection)
        for pragma in pragmas:
            connection.execute(pragma.format(synchronous=self._synchronous))
        connection.execute("select count(*) from sqlite_master").fetchone()
        return connection

    async def _scanner(self) -> aiosqlite.Connection:
        scanner = await aiosqlite.connect(
            str(self.path), isolation_level=None, cached_statements=256
        )
        for pragma in _READ_PRAGMAS:
            await scanner.execute(pragma)
        return scanner

    async def close(self) -> None:
        """Let what is queued finish, then close every connection."""
        await self._writer.close()
        await self._disconnect()

    async def _disconnect(self) -> None:
        for scanner in self._scanners:
            await scanner.close()
        self._scanners.clear()
        for connection in reversed(self._connections):
            connection.close()
        self._connections.clear()

    def read(self, workspace: int | None) -> Reader:
        """Look things up in one workspace, or, with None, across all."""
        return SqliteReader(self, workspace)

    def next_scanner(self) -> aiosqlite.Connection:
        """Take the reader threads in turn."""
        self._turn = (self._turn + 1) % len(self._scanners)
        return self._scanners[self._turn]

    def write(self, work: Callable[[Unit], Awaitable[T]], *, workspace: int | None) -> Awaitable[T]:
        """Queue a unit of work; the answer comes once it is durable."""
        return self._writer.write(work, workspace)

    def perform(self, operation: Operation[Any, T], request: object) -> Awaitable[T]:
        """Queue a request of a hot operation; it shares load and apply with what has queued."""
        return self._writer.perform(operation, request)
