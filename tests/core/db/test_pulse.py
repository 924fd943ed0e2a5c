"""A database that keeps its connections and answers nothing is noticed, and so is its return."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from armillary.db import pulse
from armillary.db.postgres import PostgresDatabase
from armillary.db.pulse import Pulse
from armillary.errors import Unavailable
from armillary.testing import ManualClock


class Line:
    """What lies between us and the database, and may stop carrying anything."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def fall_silent(self) -> None:
        self._open.clear()

    def speak_again(self) -> None:
        self._open.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._open.wait()
                sink.write(data)
                await sink.drain()
            sink.close()


@pytest.fixture
async def line(fresh_postgres: str) -> AsyncIterator[Line]:
    address = urlsplit(fresh_postgres)
    assert address.hostname is not None
    assert address.port is not None
    made = Line(address.hostname, address.port)
    server = await made.serve()
    yield made
    made.speak_again()
    server.close()


@pytest.fixture
async def database(
    fresh_postgres: str, line: Line, clock: ManualClock
) -> AsyncIterator[PostgresDatabase]:
    address = urlsplit(fresh_postgres)
    made = PostgresDatabase(f"postgresql://postgres@127.0.0.1:{line.port}{address.path}", clock)
    made._pulse._patience = 0.3
    await made.open()
    yield made
    await made.close()


async def test_who_waits_for_a_silent_database_is_told_that_it_is_away(
    database: PostgresDatabase, line: Line
) -> None:
    reader = database.read(None)
    assert await reader.value("select 1") == 1
    line.fall_silent()
    waiting = asyncio.create_task(reader.value("select 2"))
    await database._pulse.beat()
    with pytest.raises(Unavailable):
        await waiting
    with pytest.raises(Unavailable, match="does not answer"):
        await reader.value("select 3")


async def test_it_is_used_again_as_soon_as_it_answers(
    database: PostgresDatabase, line: Line
) -> None:
    line.fall_silent()
    await database._pulse.beat()
    line.speak_again()
    await database._pulse.beat()
    assert await database.read(None).value("select 4") == 4


async def test_a_process_that_stood_still_does_not_blame_the_database(
    line: Line, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "_STOOD_STILL", 0.1)
    beating = Pulse(database.url, patience=0.2)
    await beating.beat()
    line.fall_silent()
    beat = asyncio.create_task(beating.beat())
    await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251 - nothing of this process goes on, as after SIGSTOP
    line.speak_again()
    await beat
    assert not beating.silent
    beating._let_go()


async def test_a_statement_may_take_long_while_the_database_answers(
    database: PostgresDatabase,
) -> None:
    waiting = asyncio.create_task(database.read(None).value("select 5 from pg_sleep(0.5)"))
    await database._pulse.beat()
    await database._pulse.beat()
    assert await waiting == 5


async def test_a_database_that_is_silent_is_left_behind_at_the_end(
    database: PostgresDatabase, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("armillary.db.postgres._FAREWELL", 0.1)
    assert await database.read(None).value("select 1") == 1
    line.fall_silent()
    async with asyncio.timeout(60):
        await database.close()
