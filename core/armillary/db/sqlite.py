"""SQLite as a server database: one write connection, one reader on the loop, two beside it.

::

    units, requests ──▶ queue ──▶ begin ─ savepoint a ─ savepoint b ─ … ─ outbox ──▶ commit
                                 (on the event-loop thread, never suspended)        (in a thread)
                                                                                       │
                      answers, wake-ups  ◀─────────────────────────────────────────────┘

While a commit is under way nobody touches the write connection; what arrives meanwhile makes the
next group.  Nobody waits for a group to fill.  A failed unit is rolled back to its savepoint and
fails alone; a failed commit fails its whole group, and nobody's work is in.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from armillary.clock import Clock
from armillary.db.database import Database
from armillary.db.dialect import Dialect
from armillary.db.operation import Operation
from armillary.db.unit import OUTBOX_INSERT, Reader, Row, Unit, outbox_rows
from armillary.errors import ConfigError, Conflict, Unavailable

T = TypeVar("T")

_GROUP = 64
_READERS = 2
_PRAGMAS = (
    "pragma journal_mode=wal",
    "pragma synchronous={synchronous}",
    "pragma wal_autocheckpoint=10000",
    "pragma cache_size=-65536",
    "pragma temp_store=memory",
    "pragma busy_timeout=5000",
)
_READ_PRAGMAS = (
    "pragma query_only=on",
    "pragma cache_size=-16384",
    "pragma temp_store=memory",
    "pragma busy_timeout=5000",
)


class SqliteUnit(Unit):
    """A unit whose calls answer at once."""

    dialect = Dialect.SQLITE

    def __init__(self, connection: sqlite3.Connection, workspace: int | None, micros: int) -> None:
        super().__init__(workspace, micros)
        self._execute = connection.execute
        self._executemany = connection.executemany

    async def one(self, sql: str, *args: object) -> Row | None:
        """Return the first row, or None."""
        return self._execute(Dialect.SQLITE.sql(sql), args).fetchone()  # type: ignore[no-any-return]

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        """Return every row."""
        return self._execute(Dialect.SQLITE.sql(sql), args).fetchall()

    async def run(self, sql: str, *args: object) -> int:
        """Execute a statement; return how many rows it touched."""
        return self._execute(Dialect.SQLITE.sql(sql), args).rowcount

    async def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement once for each row of arguments."""
        self._executemany(Dialect.SQLITE.sql(sql), rows)

    async def for_each(self, sql: str, ids: Sequence[str]) -> Sequence[Row]:
        """Look every id up by itself: cheaper here than one statement of changing shape."""
        text = Dialect.SQLITE.sql(sql.replace("{one}", "= ?"))
        rows = [self._execute(text, (each,)).fetchone() for each in ids]
        return [row for row in rows if row is not None]


class SqliteReader(Reader):
    """Keys on the loop thread; everything that may scan in a reader thread."""

    dialect = Dialect.SQLITE

    def __init__(self, database: SqliteDatabase, workspace: int | None) -> None:
        super().__init__(workspace)
        self._database = database

    async def one(self, sql: str, *args: object) -> Row | None:
        """Look one row up by key, on the loop."""
        try:
            return self._database.reading.execute(Dialect.SQLITE.sql(sql), args).fetchone()  # type: ignore[no-any-return]
        except sqlite3.OperationalError as error:
            raise Unavailable(str(error)) from error

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        """Read rows in a thread."""
        connection = self._database.next_scanner()
        try:
            return list(await connection.execute_fetchall(Dialect.SQLITE.sql(sql), args))
        except sqlite3.OperationalError as error:
            raise Unavailable(str(error)) from error


class _Waiting:
    """One queued unit or request and who waits for it."""

    __slots__ = ("future", "operation", "request", "result", "unit", "work", "workspace")

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self.future = future
        self.work: Callable[[Unit], Awaitable[Any]] | None = None
        self.workspace: int | None = None
        self.operation: Operation[Any, Any] | None = None
        self.request: Any = None
        self.result: Any = None
        self.unit: SqliteUnit | None = None


def drive(work: Awaitable[T]) -> T:
    """Run a coroutine that never suspends; RuntimeError if it does."""
    coroutine = work.__await__()
    try:
        next(coroutine)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    coroutine.close()
    message = "a unit of work awaited something that is not its own connection"
    raise RuntimeError(message)


class SqliteDatabase(Database):
    """The embedded database, in one file."""

    dialect = Dialect.SQLITE

    def __init__(self, path: Path, clock: Clock, *, synchronous: str = "full") -> None:
        super().__init__(clock)
        self.path = path
        self._synchronous = synchronous
        self._queue: deque[_Waiting] = deque()
        self._busy = False
        self._threads = ThreadPoolExecutor(1, "commit")
        self._scanners: list[aiosqlite.Connection] = []
        self._turn = 0
        self.reading: sqlite3.Connection
        self.writing: sqlite3.Connection

    async def open(self) -> None:
        """Open the file; ConfigError with one sentence if it is no database of ours."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.writing = self._connect(str(self.path), _PRAGMAS)
            self.reading = self._connect(str(self.path), _READ_PRAGMAS)
        except (sqlite3.Error, OSError) as error:
            message = (
                f"The database {self.path} cannot be opened ({error}): check that the folder can "
                "be written, or move a damaged file away and start again."
            )
            raise ConfigError(message) from error
        self._loop = asyncio.get_running_loop()
        for _ in range(_READERS):
            scanner = await aiosqlite.connect(
                str(self.path), isolation_level=None, cached_statements=256
            )
            for pragma in _READ_PRAGMAS:
                await scanner.execute(pragma)
            self._scanners.append(scanner)

    def _connect(self, path: str, pragmas: Sequence[str]) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        for pragma in pragmas:
            connection.execute(pragma.format(synchronous=self._synchronous))
        connection.execute("select count(*) from sqlite_master").fetchone()
        return connection

    async def close(self) -> None:
        """Let what is queued finish, then close every connection."""
        while self._busy or self._queue:
            await self.clock.sleep(0)
        for scanner in self._scanners:
            await scanner.close()
        self._scanners.clear()
        self._threads.shutdown()
        self.reading.close()
        self.writing.close()

    def read(self, workspace: int | None) -> Reader:
        """Look things up in one workspace, or, with None, across all."""
        return SqliteReader(self, workspace)

    def next_scanner(self) -> aiosqlite.Connection:
        """Take the reader threads in turn."""
        self._turn = (self._turn + 1) % len(self._scanners)
        return self._scanners[self._turn]

    def write(self, work: Callable[[Unit], Awaitable[T]], *, workspace: int | None) -> Awaitable[T]:
        """Queue a unit of work; the answer comes once it is durable."""
        waiting = _Waiting(self._loop.create_future())
        waiting.work, waiting.workspace = work, workspace
        return self._submit(waiting)

    def perform(self, operation: Operation[Any, T], request: object) -> Awaitable[T]:
        """Queue a request of a hot operation; it shares load and apply with what has queued."""
        waiting = _Waiting(self._loop.create_future())
        waiting.operation, waiting.request = operation, request
        return self._submit(waiting)

    def _submit(self, waiting: _Waiting) -> asyncio.Future[Any]:
        self._queue.append(waiting)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._turn_over)
        return waiting.future

    def _turn_over(self) -> None:
        group = [self._queue.popleft() for _ in range(min(_GROUP, len(self._queue)))]
        if not group:
            self._busy = False
            return
        micros = self.clock.micros()
        try:
            self.writing.execute("begin immediate")
            units = self._run(group, micros)
            emitted = [event for unit in units for event in unit.emitted]
            if emitted:
                self.writing.executemany(Dialect.SQLITE.sql(OUTBOX_INSERT), outbox_rows(emitted))
        except sqlite3.Error as error:
            self._end(group, [], error)
            return
        self._threads.submit(self._commit, group, units)

    def _run(self, group: list[_Waiting], micros: int) -> list[SqliteUnit]:
        units: list[SqliteUnit] = []
        kinds: dict[Operation[Any, Any], list[_Waiting]] = {}
        for waiting in group:
            if waiting.operation is not None:
                kinds.setdefault(waiting.operation, []).append(waiting)
            elif waiting.work is not None:
                unit = SqliteUnit(self.writing, waiting.workspace, micros)
                if self._savepoint([waiting], unit, waiting.work):
                    units.append(unit)
        for operation, asking in kinds.items():
            for batch in _without_repeats(operation, asking):
                units.extend(self._perform(operation, batch, micros))
        return units

    def _perform(
        self, operation: Operation[Any, Any], batch: list[_Waiting], micros: int
    ) -> list[SqliteUnit]:
        unit = SqliteUnit(self.writing, None, micros)
        requests = [waiting.request for waiting in batch]

        async def work(unit: Unit) -> None:
            answers = await operation.execute(unit, requests)
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.result = answer

        if self._savepoint(batch, unit, work):
            return [unit]
        if len(batch) == 1:
            return []
        return [unit for waiting in batch for unit in self._perform(operation, [waiting], micros)]

    def _savepoint(
        self,
        group: list[_Waiting],
        unit: SqliteUnit,
        work: Callable[[Unit], Awaitable[Any]],
    ) -> bool:
        execute = self.writing.execute
        execute("savepoint unit")
        try:
            result = drive(work(unit))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to who asked
            execute("rollback to unit")
            execute("release unit")
            for waiting in group:
                waiting.result = _translated(error)
            return False
        execute("release unit")
        if group[0].operation is None:
            group[0].result = result
        return True

    def _commit(self, group: list[_Waiting], units: list[SqliteUnit]) -> None:
        """Make the group durable; runs in the commit thread."""
        failure: sqlite3.Error | None = None
        try:
            self.writing.execute("commit")
        except sqlite3.Error as error:
            failure = error
        self._loop.call_soon_threadsafe(self._end, group, units, failure)

    def _end(
        self, group: list[_Waiting], units: list[SqliteUnit], failure: sqlite3.Error | None
    ) -> None:
        if failure is not None:
            if self.writing.in_transaction:
                self.writing.execute("rollback")
            self.failed(failure)
        else:
            self.settled(units)
        for waiting in group:
            if waiting.future.done():
                continue
            if failure is not None:
                waiting.future.set_exception(_translated(failure))
            elif isinstance(waiting.result, Exception):
                waiting.future.set_exception(waiting.result)
            else:
                waiting.future.set_result(waiting.result)
        if self._queue:
            self._loop.call_soon(self._turn_over)
        else:
            self._busy = False


def _without_repeats(
    operation: Operation[Any, Any], asking: list[_Waiting]
) -> list[list[_Waiting]]:
    """Split so that no two requests about one thing share a batch, keeping their order."""
    batches: list[list[_Waiting]] = []
    seen: dict[object, int] = {}
    for waiting in asking:
        key = operation.key(waiting.request)
        place = seen[key] = seen.get(key, -1) + 1
        if place == len(batches):
            batches.append([])
        batches[place].append(waiting)
    return batches


def _translated(error: Exception) -> Exception:
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict()
    if isinstance(error, sqlite3.Error):
        return Unavailable(f"the database could not be written: {error}")
    return error
