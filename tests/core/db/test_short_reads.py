"""Reads on SQLite: those that are short are done on the loop, the others in a thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from armillary.db.sqlite import SqliteDatabase
from armillary.testing import ManualClock

UP_TO = """
with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) select i from n
"""
SHORT, LONG = 10, 5_000


class Counting(SqliteDatabase):
    """Counts what is read in threads."""

    in_threads = 0

    def next_scanner(self) -> Any:
        self.in_threads += 1
        return super().next_scanner()


@pytest.fixture
async def database(fresh_sqlite: str) -> AsyncIterator[Counting]:
    found = Counting(Path(fresh_sqlite.removeprefix("sqlite:///")), ManualClock())
    await found.open()
    yield found
    await found.close()


async def count(database: Counting, top: int) -> int:
    rows = await database.read(1).all(UP_TO, top)
    assert [row[0] for row in rows] == list(range(1, top + 1))
    return database.in_threads


async def test_a_short_read_needs_no_thread(database: Counting) -> None:
    assert await count(database, SHORT) == 0


async def test_a_long_read_is_whole_and_done_in_a_thread(database: Counting) -> None:
    assert await count(database, LONG) == 1


async def test_a_statement_that_was_long_is_tried_again_after_a_while(database: Counting) -> None:
    await count(database, LONG)
    assert [await count(database, SHORT) for _ in range(6)] == [2, 3, 4, 5, 5, 5]
    assert await count(database, LONG) == 6


async def test_a_statement_that_is_always_long_is_seldom_tried(database: Counting) -> None:
    tried = 0
    whole = database.short_reads._tried

    def counted(sql: str, args: Any, *, until: float) -> Any:
        nonlocal tried
        tried += 1
        return whole(sql, args, until=until)

    database.short_reads._tried = counted  # type: ignore[method-assign]
    for _ in range(200):
        await count(database, LONG)
    assert tried == 6


async def test_reads_one_after_the_other_let_others_in(database: Counting) -> None:
    others = asyncio.Event()
    asyncio.get_running_loop().call_later(0, others.set)
    reads = 0
    while not others.is_set():
        await count(database, SHORT)
        reads += 1
        assert reads < 1000


async def test_look_ups_by_key_are_never_broken_off(database: Counting) -> None:
    await count(database, LONG)
    total = f"select sum(i) from ({UP_TO})"
    assert await database.read(1).value(total, LONG) == LONG * (LONG + 1) / 2


async def test_a_faulty_read_is_an_error_and_tried_once(database: Counting) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.read(1).all("select * from nowhere")
    assert database.in_threads == 0
