"""The one writer of a SQLite database: what has queued shares one durable commit.

::

    units, requests ──▶ queue ──▶ begin ─ savepoint a ─ savepoint b ─ … ──▶ commit
                                 (on the event-loop thread, never suspended)   (in a thread)
                                                                                  │
                      answers, wake-ups  ◀────────────────────────────────────────┘

While a commit is under way nobody touches the connection; what arrives meanwhile makes the next
group.  Nobody waits for a group to fill.  A failed unit is rolled back to its savepoint and fails
alone; a failed commit fails its whole group, and nobody's work is in.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from armillary.db.commits import CommitThread
from armillary.db.database import Database
from armillary.db.dialect import Dialect
from armillary.db.operation import Operation
from armillary.db.unit import OUTBOX_INSERT, Row, Unit, outbox_rows
from armillary.errors import Conflict, Unavailable

T = TypeVar("T")

_WHOLE = 4
"""So few are not parted."""
_PARTED = 32
"""So many are."""
_GROUP = 64
_PRIMARY = 0xFF
_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)  # fmt: skip
"""What the machine does to us; any other error code says that a statement of ours is wrong."""


class SqliteUnit(Unit):
    """A unit whose calls answer at once."""

    dialect = Dialect.SQLITE
    narrow = True

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
        return max(0, self._execute(Dialect.SQLITE.sql(sql), args).rowcount)

    async def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement once for each row of arguments."""
        self._executemany(Dialect.SQLITE.sql(sql), rows)

    async def for_each(self, sql: str, ids: Sequence[str]) -> Sequence[Row]:
        """Look every id up by itself: cheaper here than one statement of changing shape."""
        text = Dialect.SQLITE.sql(sql.replace("{one}", "= ?"))
        rows = [self._execute(text, (each,)).fetchone() for each in dict.fromkeys(ids)]
        return [row for row in rows if row is not None]

    def flush(self) -> None:
        """Write the outbox rows, inside the savepoint of the unit."""
        if self.emitted:
            self._executemany(Dialect.SQLITE.sql(OUTBOX_INSERT), outbox_rows(self.emitted))


class _Waiting:
    """One queued unit or request and who waits for it."""

    __slots__ = ("future", "key", "operation", "request", "result", "work", "workspace")

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self.future = future
        self.work: Callable[[Unit], Awaitable[Any]] | None = None
        self.workspace: int | None = None
        self.operation: Operation[Any, Any] | None = None
        self.request: Any = None
        self.key: object = None
        self.result: Any = None


class _TransactionLost(Exception):
    """SQLite ended the transaction by itself, as it does where it cannot write any more."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


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


def share(waiting: int, last: int) -> int:
    """How many of those that wait the next group takes, after one of ``last``, or of none.

    Half of a few who are about: while one half is made durable, the other is answered, asks again
    and is decided.  In one group they would all wait for the disk, and then the disk for them.
    Of many the disk has each only for a moment, and two groups cost more than they gain.
    """
    about = waiting + last
    size = max(_WHOLE, (about + 1) // 2) if last and about <= _PARTED else waiting
    return min(_GROUP, waiting, size)


class Writer:
    """Queues work for the write connection and answers it once it is durable."""

    def __init__(self, database: Database, connection: sqlite3.Connection) -> None:
        self._database = database
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Waiting] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self._last = 0
        """How many the last group had; none where there was a rest."""
        self._threads = CommitThread("commit")

    def write(self, work: Callable[[Unit], Awaitable[T]], workspace: int | None) -> Awaitable[T]:
        """Queue a unit of work."""
        waiting = _Waiting(self._loop.create_future())
        waiting.work, waiting.workspace = work, workspace
        return self._submit(waiting)

    def perform(self, operation: Operation[Any, T], request: object) -> Awaitable[T]:
        """Queue a request of a hot operation; it shares load and apply with what has queued."""
        waiting = _Waiting(self._loop.create_future())
        waiting.operation, waiting.request = operation, request
        waiting.key = operation.key(request)
        return self._submit(waiting)

    async def close(self) -> None:
        """Let what is queued finish; what comes later is refused."""
        await self._idle.wait()
        self._closed = True
        self._threads.shutdown()

    def _submit(self, waiting: _Waiting) -> asyncio.Future[Any]:
        if self._closed:
            waiting.future.set_exception(Unavailable("the database is closed"))
            return waiting.future
        self._queue.append(waiting)
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._turn_over)
        return waiting.future

    def _turn_over(self) -> None:
        self._last = size = share(len(self._queue), self._last)
        group = [self._queue.popleft() for _ in range(size)]
        try:
            self._connection.execute("begin immediate")
            units = self._run(group, self._database.clock.micros())
        except _TransactionLost as lost:
            self._end(group, [], lost.cause)
        except BaseException as error:
            self._end(group, [], error)
            if not isinstance(error, Exception):
                raise
        else:
            self._threads.submit(self._commit, group, units)

    def _run(self, group: list[_Waiting], micros: int) -> list[SqliteUnit]:
        units: list[SqliteUnit] = []
        kinds: dict[Operation[Any, Any], list[_Waiting]] = {}
        for waiting in group:
            if waiting.future.cancelled():
                continue
            if waiting.operation is not None:
                kinds.setdefault(waiting.operation, []).append(waiting)
            elif waiting.work is not None:
                unit = SqliteUnit(self._connection, waiting.workspace, micros)
                if self._savepoint([waiting], unit, waiting.work):
                    units.append(unit)
        for operation, asking in kinds.items():
            for batch in _without_repeats(asking):
                units.extend(self._perform(operation, batch, micros))
        return units

    def _perform(
        self, operation: Operation[Any, Any], batch: list[_Waiting], micros: int
    ) -> list[SqliteUnit]:
        unit = SqliteUnit(self._connection, None, micros)
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
        execute = self._connection.execute
        execute("savepoint unit")
        try:
            result = drive(work(unit))
            unit.flush()
        except Exception as error:
            if not self._connection.in_transaction:
                raise _TransactionLost(error) from error
            execute("rollback to unit")
            execute("release unit")
            for waiting in group:
                waiting.result = translated(error)
            return False
        execute("release unit")
        if group[0].operation is None:
            group[0].result = result
        return True

    def _commit(self, group: list[_Waiting], units: list[SqliteUnit]) -> None:
        """Make the group durable; runs in the commit thread."""
        failure: sqlite3.Error | None = None
        try:
            self._connection.execute("commit")
        except sqlite3.Error as error:
            failure = error
        self._loop.call_soon_threadsafe(self._end, group, units, failure)

    def _end(
        self, group: list[_Waiting], units: list[SqliteUnit], failure: BaseException | None
    ) -> None:
        if failure is not None:
            self._roll_back()
            self._database.failed(failure)
        else:
            self._database.settled(units)
        for waiting in group:
            if waiting.future.done():
                continue
            if failure is not None:
                waiting.future.set_exception(_of_group(failure))
            elif isinstance(waiting.result, Exception):
                waiting.future.set_exception(waiting.result)
            else:
                waiting.future.set_result(waiting.result)
        if self._queue:
            self._loop.call_soon(self._turn_over)
        else:
            self._last = 0
            self._idle.set()

    def _roll_back(self) -> None:
        """End a transaction that failed; if even that fails, the next group says so again."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
        except sqlite3.Error as error:
            self._database.failed(error)


def _without_repeats(asking: list[_Waiting]) -> list[list[_Waiting]]:
    """Split so that no two requests about one thing share a batch, keeping their order."""
    batches: list[list[_Waiting]] = []
    seen: dict[object, int] = {}
    for waiting in asking:
        place = seen[waiting.key] = seen.get(waiting.key, -1) + 1
        if place == len(batches):
            batches.append([])
        batches[place].append(waiting)
    return batches


def translated(error: Exception) -> Exception:
    """Turn what SQLite says into a deliberate error; a fault of ours stays what it is."""
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict()
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.Error) and code is not None and code & _PRIMARY in _AWAY:
        return Unavailable(f"the database is away: {error}")
    return error


def _of_group(failure: BaseException) -> Exception:
    """Answer one of a group that failed as a whole: each gets an error of its own."""
    return Unavailable(f"the database could not be written: {failure}")
