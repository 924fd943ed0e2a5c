"""Puts rows into a database by its fastest way, past the product: nobody may use it meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import asyncpg

from armillary.db.engine import file_of
from tests.speed.seeding.rows import Rows

_BULK = (
    "pragma locking_mode=exclusive",
    "pragma journal_mode=off",
    "pragma synchronous=off",
    "pragma cache_size=-524288",
    "pragma temp_store=memory",
)
_USED = "select 1 from flow_run limit 1"


class Sink(Protocol):
    """Where rows go."""

    def used(self) -> bool:
        """Tell whether there are runs already."""

    def write(self, rows: Rows) -> None:
        """Take what has been made, in one transaction."""

    def finish(self) -> None:
        """Leave the database as a server expects it."""


class SqliteSink:
    """Prepared inserts without a journal: a crash leaves a file that is to be thrown away."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def used(self) -> bool:
        return self._connection.execute(_USED).fetchone() is not None

    def write(self, rows: Rows) -> None:
        self._connection.execute("begin")
        for table, columns, some in rows.taken():
            places = ", ".join("?" * len(columns))
            self._connection.executemany(
                f"insert into {table} ({', '.join(columns)}) values ({places})",
                some,
            )
        self._connection.execute("commit")

    def finish(self) -> None:
        """Make it durable; no statistics, for a server makes none either."""
        self._connection.execute("pragma synchronous=full")
        self._connection.execute("pragma journal_mode=wal")


class PostgresSink:
    """COPY, and the generators of keys moved on behind it."""

    def __init__(self, runner: asyncio.Runner, connection: asyncpg.Connection) -> None:
        self._runner, self._connection = runner, connection

    def used(self) -> bool:
        return self._runner.run(self._connection.fetchval(_USED)) is not None

    def write(self, rows: Rows) -> None:
        self._runner.run(self._copy(rows))

    async def _copy(self, rows: Rows) -> None:
        async with self._connection.transaction():
            for table, columns, some in rows.taken():
                await self._connection.copy_records_to_table(table, records=some, columns=columns)

    def finish(self) -> None:
        """Move keys on, and do at once what autovacuum does within minutes."""
        self._runner.run(self._tidy())

    async def _tidy(self) -> None:
        await self._connection.execute(
            "select setval(pg_get_serial_sequence('event', 'key'), max(key)) from event"
            " having max(key) is not null"
        )
        await self._connection.execute("vacuum (analyze)")


@contextmanager
def sink_of(url: str) -> Iterator[Sink]:
    """Open a database with every table of this version."""
    file = file_of(url)
    if file is None:
        with asyncio.Runner() as runner:
            connection = runner.run(_connected(url))
            try:
                yield PostgresSink(runner, connection)
            finally:
                runner.run(connection.close())
    else:
        bulk = _bulk(file)
        try:
            yield SqliteSink(bulk)
        finally:
            bulk.close()


def _bulk(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, cached_statements=64)
    for pragma in _BULK:
        connection.execute(pragma).fetchone()
    return connection


async def _connected(url: str) -> asyncpg.Connection:
    """Connect; commits do not wait for the disk, for a crash costs nothing here."""
    rest = url.partition("://")[2]
    settings = {"synchronous_commit": "off"}
    return await asyncpg.connect(f"postgresql://{rest}", server_settings=settings)
