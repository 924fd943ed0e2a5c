"""PostgreSQL: two writers that take what has queued, and a pool for everything else.

A unit of work has a transaction of its own from the pool.  Requests of hot operations queue; each
free writer takes up to a group of them, loads, decides and applies them in one transaction, so
that they share its commit.  The rows a hot operation loads are locked while it decides.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

import asyncpg

from armillary.clock import Clock
from armillary.db.database import Database
from armillary.db.dialect import Dialect
from armillary.db.operation import Operation
from armillary.db.postgres_unit import PostgresUnit
from armillary.db.pulse import Pulse
from armillary.db.unit import Reader, Row, Unit
from armillary.errors import ConfigError, Conflict, Unavailable

T = TypeVar("T")

_GROUP = 64
_WRITERS = 2
_CONNECTIONS = 8
_BY_KEY = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""Hot operations find everything by key: planned once, for planning takes longer than the rest."""
_SETTINGS = {"idle_in_transaction_session_timeout": "10s"}
"""Who stands still in the middle of a unit must not keep others from what it has locked."""
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # how asyncpg meets a connection that was cut while it was idle
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    OSError,
    TimeoutError,
)
_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_ATTEMPTS = 5
_FAREWELL = 5.0
"""Seconds for a database to take leave; one that is silent never does."""
_Entry: TypeAlias = tuple[Operation[Any, Any], object, Any, asyncio.Future[Any]]
"""What waits for a writer: the operation, the request's key, the request, and who is answered."""


async def _leave(_connection: object) -> None:
    """Give a connection back as it is: ours never change their session, and resets cost a trip."""


class PostgresReader(Reader):
    """Reads from the pool, each statement by itself."""

    dialect = Dialect.POSTGRES

    def __init__(self, database: PostgresDatabase, workspace: int | None) -> None:
        super().__init__(workspace)
        self._database = database

    async def one(self, sql: str, *args: object) -> Row | None:
        """Return the first row, or None."""
        async with self._database.connection() as connection:
            return await connection.fetchrow(Dialect.POSTGRES.sql(sql), *args)  # type: ignore[no-any-return]

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        """Return every row."""
        async with self._database.connection() as connection:
            return await connection.fetch(Dialect.POSTGRES.sql(sql), *args)  # type: ignore[no-any-return]


class PostgresDatabase(Database):
    """A PostgreSQL database."""

    dialect = Dialect.POSTGRES

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(clock)
        self.url = url
        self._pool: Any = None
        self._writing: Any = None
        self._queue: deque[_Entry] = deque()
        self._wake = asyncio.Event()
        self._pulse = Pulse(url)
        self._tasks: list[asyncio.Task[None]] = []
        self._under_way: set[tuple[Operation[Any, Any], object]] = set()
        self._serial: set[Operation[Any, Any]] = set()
        self._closed = False

    async def open(self) -> None:
        """Connect; ConfigError with one sentence if that cannot be."""
        try:
            self._pool = await self._connected(most=_CONNECTIONS)
            self._writing = await self._connected(most=_WRITERS, settings=_BY_KEY)
        except (*_AWAY, asyncpg.PostgresError, ValueError) as error:
            if self._pool is not None:
                self._pool.terminate()
            shown = self.url.rpartition("@")[2] or self.url
            message = (
                f"PostgreSQL at {shown} cannot be reached ({error}): check the setting "
                "database.url and that the server is running."
            )
            raise ConfigError(message) from error
        self._tasks = [
            asyncio.create_task(self._pulse.run(), name="pulse"),
            *(
                asyncio.create_task(self._writer(), name=f"writer {number}")
                for number in range(_WRITERS)
            ),
        ]

    async def _connected(self, *, most: int, settings: dict[str, str] | None = None) -> Any:
        return await asyncpg.create_pool(
            self.url,
            min_size=min(2, most),
            max_size=most,
            statement_cache_size=512,
            timeout=5,
            reset=_leave,
            server_settings=_SETTINGS | (settings or {}),
        )

    async def close(self) -> None:
        """Let what is queued finish, then disconnect."""
        while self._queue or self._under_way:
            await self.clock.sleep(0.001)
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pool in (self._writing, self._pool):
            try:
                async with asyncio.timeout(_FAREWELL):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    @contextlib.asynccontextmanager
    async def connection(self, *, writing: bool = False) -> AsyncIterator[Any]:
        """Borrow a connection; what goes wrong with it becomes a deliberate error."""
        if self._pulse.silent:
            raise Unavailable("the database is away: it does not answer")
        try:
            pool = self._writing if writing else self._pool
            async with pool.acquire(timeout=10) as connection:
                self._pulse.begin(connection)
                try:
                    yield connection
                finally:
                    self._pulse.end(connection)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise Conflict from error
        except _AWAY as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"the database is away: {reason}") from error

    def read(self, workspace: int | None) -> Reader:
        """Look things up in one workspace, or, with None, across all."""
        return PostgresReader(self, workspace)

    async def write(self, work: Callable[[Unit], Awaitable[T]], *, workspace: int | None) -> T:
        """Do a unit of work in a transaction of its own.

        A deadlock's victim is done again, and so is what met a connection that had been cut
        while it was idle, for nothing of it had begun.  Who was second to store what must be there
        once is done again too: what looks for it first, as a request with an idempotency key does,
        now finds it.
        """
        return await self._write(work, workspace)

    async def _write(
        self, work: Callable[[Unit], Awaitable[T]], workspace: int | None, *, writing: bool = False
    ) -> T:
        dead = 0
        attempt = 1
        second = False
        while True:
            borrowed = begun = False
            try:
                async with self.connection(writing=writing) as connection:
                    borrowed = True
                    unit = PostgresUnit(connection, workspace, self.clock.micros())
                    async with connection.transaction():
                        begun = True
                        result = await work(unit)
                        await unit.flush()
            except _AGAIN as error:
                if attempt == _ATTEMPTS:
                    message = f"other work was in the way, {_ATTEMPTS} times in a row"
                    raise Unavailable(message) from error
                attempt += 1
            except Conflict as error:
                if second or not isinstance(error.__cause__, asyncpg.UniqueViolationError):
                    raise
                second = True
            except Unavailable:
                if begun or not borrowed or dead == _CONNECTIONS:
                    raise
                dead += 1
            else:
                self.settled([unit])
                return result

    def perform(self, operation: Operation[Any, T], request: object) -> Awaitable[T]:
        """Queue a request; a writer does it together with what else has queued."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            future.set_exception(Unavailable("the database is closed"))
            return future
        self._queue.append((operation, operation.key(request), request, future))
        self._wake.set()
        return future

    def _take(self) -> list[_Entry]:
        """Take requests of one operation, leaving those whose key is already under way."""
        taken: list[_Entry] = []
        left: list[_Entry] = []
        while self._queue and len(taken) < _GROUP:
            entry = self._queue.popleft()
            operation, key, _, future = entry
            if future.cancelled():
                continue
            other = bool(taken) and operation is not taken[0][0]
            if other or (operation, key) in self._under_way or operation in self._serial:
                left.append(entry)
                continue
            self._under_way.add((operation, key))
            taken.append(entry)
        self._queue.extendleft(reversed(left))
        if taken and taken[0][0].serial:
            self._serial.add(taken[0][0])
        return taken

    async def _writer(self) -> None:
        while True:
            batch = self._take()
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._perform(batch)
            finally:
                for operation, key, _, _ in batch:
                    self._under_way.discard((operation, key))
                self._serial.discard(batch[0][0])
                self._wake.set()

    async def _perform(self, batch: list[_Entry]) -> None:
        operation = batch[0][0]
        requests = [request for _, _, request, _ in batch]
        try:
            answers = await self._write(partial(_whole, operation, requests), None, writing=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to who asked
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for entry in batch:
                    await self._perform([entry])
                return
            answers = [error] * len(batch)
        for (_, _, _, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


async def _whole(
    operation: Operation[Any, Any], requests: Sequence[Any], unit: Unit
) -> Sequence[Any]:
    """Execute; an answer too few or too many is found before anything is committed."""
    answers = await operation.execute(unit, requests)
    if len(answers) != len(requests):
        message = f"{type(operation).__name__} gave {len(answers)} answers to {len(requests)}"
        raise RuntimeError(message)
    return answers
