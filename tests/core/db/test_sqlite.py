"""The embedded database: groups, savepoints, full disks, and what is durable."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from armillary.db.migrate import upgrade
from armillary.db.sqlite import SqliteDatabase
from armillary.db.sqlite_writer import drive
from armillary.db.tables import Tables
from armillary.db.unit import Unit
from armillary.errors import ConfigError, Conflict, Unavailable
from armillary.testing import ManualClock
from tests.core.db.things import INSERT, Ask, Inserts, insert, names, prepare, told


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock) -> AsyncIterator[SqliteDatabase]:
    made = SqliteDatabase(tmp_path / "things.db", clock)
    await made.open()
    await upgrade(made, [Tables(owner="core", after=())])
    await prepare(made)
    yield made
    await made.close()


class Failing(sqlite3.Connection):
    """A connection whose next statement of a kind fails."""

    fails: str = ""
    really: bool = False

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if self.fails and sql.startswith(self.fails):
            self.fails = ""
            if self.really:
                super().execute("rollback")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(sql, *args)


@pytest.fixture
async def failing(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SqliteDatabase]:
    """A database whose write connection can be told to fail."""
    connect = sqlite3.connect
    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Failing, **k))
        made = SqliteDatabase(tmp_path / "things.db", clock)
        await made.open()
    await upgrade(made, [Tables(owner="core", after=())])
    await prepare(made)
    yield made
    await made.close()


def tell(database: SqliteDatabase, statement: str, *, really: bool = False) -> None:
    assert isinstance(database.writing, Failing)
    database.writing.fails = statement
    database.writing.really = really


async def outcomes(*work: Any) -> list[Any]:
    return await asyncio.gather(*work, return_exceptions=True)


@pytest.mark.parametrize("statement", ["begin", "commit", "savepoint", "release"])
async def test_a_group_that_cannot_be_committed_fails_whole_and_the_next_one_works(
    failing: SqliteDatabase, statement: str
) -> None:
    tell(failing, statement)
    done = await outcomes(*(failing.write(insert(name), workspace=1) for name in "abc"))
    assert all(isinstance(each, Unavailable) for each in done)
    assert len({id(each) for each in done}) == 3
    assert await names(failing) == []
    assert await told(failing) == []
    assert await failing.write(insert("d"), workspace=1) == "d"
    assert await names(failing) == ["d"]


async def test_a_transaction_that_sqlite_ended_fails_its_whole_group(
    failing: SqliteDatabase,
) -> None:
    async def loses(unit: Unit) -> None:
        tell(failing, "update", really=True)
        await unit.run("update thing set value = 1")

    done = await outcomes(
        failing.write(insert("a"), workspace=1),
        failing.write(loses, workspace=1),
        failing.write(insert("b"), workspace=1),
    )
    assert all(isinstance(each, Unavailable) for each in done)
    assert await names(failing) == []
    assert await failing.write(insert("c"), workspace=1) == "c"


async def test_a_rollback_that_fails_too_does_not_stop_the_writer(
    failing: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = Failing.execute
    broken = True

    def all_fails(self: Failing, sql: str, *args: Any) -> sqlite3.Cursor:
        if broken and sql in {"commit", "rollback"}:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return execute(self, sql, *args)

    monkeypatch.setattr(Failing, "execute", all_fails)
    for name in "ab":
        done = await outcomes(asyncio.wait_for(failing.write(insert(name), workspace=1), 60))
        assert isinstance(done[0], Unavailable)
    broken = False
    # The transaction is still open; the group that finds it so ends it.
    await outcomes(failing.write(insert("c"), workspace=1))
    assert await failing.write(insert("d"), workspace=1) == "d"
    assert await names(failing) == ["d"]


async def test_a_full_disk_is_unavailable_and_over_once_there_is_room(
    database: SqliteDatabase,
) -> None:
    (pages,) = database.writing.execute("pragma page_count").fetchone()
    database.writing.execute(f"pragma max_page_count={pages + 2}")
    large = "x" * 40_000
    done = await outcomes(
        database.write(insert("small"), workspace=1),
        database.write(insert(large), workspace=1),
    )
    assert isinstance(done[1], Unavailable)
    assert done[1].status == 503
    # Either SQLite kept the transaction and the small one is in, or it ended it for both.
    assert (await names(database) == ["small"]) is (done[0] == "small")
    operation = Inserts()
    refused = await outcomes(*(database.perform(operation, Ask(large + n)) for n in "ab"))
    assert all(isinstance(each, Unavailable) for each in refused)
    database.writing.execute("pragma max_page_count=100000")
    assert await database.write(insert(large), workspace=1) == large
    assert large in await names(database)


async def test_a_unit_that_awaits_something_else_is_an_error_and_leaves_nothing_open(
    database: SqliteDatabase,
) -> None:
    async def waits(unit: Unit) -> None:
        await unit.run(INSERT, "half", 0)
        await asyncio.get_running_loop().create_future()

    done = await outcomes(
        database.write(waits, workspace=1), database.write(insert("a"), workspace=1)
    )
    assert isinstance(done[0], RuntimeError)
    assert "awaited something" in str(done[0])
    assert done[1] == "a"
    assert not database.writing.in_transaction
    assert await names(database) == ["a"]


async def test_a_unit_is_closed_when_it_awaits_something_else() -> None:
    closed = []

    async def waits() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError):
        drive(waits())
    assert closed == [True]


async def test_even_what_is_no_exception_leaves_the_writer_at_work(
    database: SqliteDatabase,
) -> None:
    class Stop(BaseException):
        pass

    async def stops(unit: Unit) -> None:
        await unit.run(INSERT, "half", 0)
        raise Stop

    heard: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))
    done = await outcomes(asyncio.wait_for(database.write(stops, workspace=1), 60))
    assert isinstance(done[0], Unavailable)
    assert [type(each) for each in heard] == [Stop]
    assert await database.write(insert("a"), workspace=1) == "a"
    assert await names(database) == ["a"]


async def test_what_has_queued_shares_one_commit(database: SqliteDatabase) -> None:
    statements: list[str] = []
    database.writing.set_trace_callback(statements.append)
    operation = Inserts()
    await asyncio.gather(
        *(database.write(insert(f"u{n}"), workspace=1) for n in range(30)),
        *(database.perform(operation, Ask(f"o{n}")) for n in range(30)),
    )
    assert statements.count("commit") == 1
    assert len(operation.batches) == 1
    assert len(await names(database)) == 60


async def test_a_group_takes_at_most_64_and_the_rest_comes_next(database: SqliteDatabase) -> None:
    operation = Inserts()
    await asyncio.gather(*(database.perform(operation, Ask(f"{n:03}")) for n in range(130)))
    assert [len(batch) for batch in operation.batches] == [64, 64, 2]


async def test_units_are_done_in_the_order_they_came(database: SqliteDatabase) -> None:
    await asyncio.gather(
        *(database.write(insert(f"{n:03}"), workspace=1) for n in reversed(range(100)))
    )
    assert await told(database) == [f"{n:03}" for n in reversed(range(100))]


async def test_a_client_that_goes_away_while_its_work_is_committed_disturbs_nobody(
    database: SqliteDatabase,
) -> None:
    started: list[asyncio.Future[str]] = []

    async def first(unit: Unit) -> None:
        await unit.run(INSERT, "a", 0)
        started[0].cancel()

    started.append(asyncio.ensure_future(database.write(first, workspace=1)))  # type: ignore[arg-type]
    other = database.write(insert("b"), workspace=1)
    assert await other == "b"
    with pytest.raises(asyncio.CancelledError):
        await started[0]
    assert await names(database) == ["a", "b"]


async def test_what_was_acknowledged_is_in_a_copy_of_the_files(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    """A copy of the file and its log is what a power cut leaves."""
    await asyncio.gather(*(database.write(insert(f"{n}"), workspace=1) for n in range(100)))
    held = await database.read(None).all("select 1 from thing")
    assert len(held) == 100
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"things.db{suffix}", tmp_path / f"copy.db{suffix}")
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("select count(*) from thing").fetchone() == (100,)
    assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
    copy.close()


async def test_the_pragmas_are_those_of_a_durable_server(database: SqliteDatabase) -> None:
    def pragma(connection: sqlite3.Connection, name: str) -> Any:
        return connection.execute(f"pragma {name}").fetchone()[0]

    assert pragma(database.writing, "journal_mode") == "wal"
    assert pragma(database.writing, "synchronous") == 2
    assert pragma(database.reading, "query_only") == 1
    with pytest.raises(sqlite3.OperationalError):
        database.reading.execute("delete from thing")


async def test_while_another_process_holds_the_file_the_answer_is_unavailable(
    database: SqliteDatabase,
) -> None:
    database.writing.execute("pragma busy_timeout=1")
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("begin immediate")
    done = await outcomes(database.write(insert("a"), workspace=1))
    assert isinstance(done[0], Unavailable)
    other.execute("rollback")
    other.close()
    assert await database.write(insert("a"), workspace=1) == "a"


async def test_a_file_that_is_no_database_is_one_sentence(
    tmp_path: Path, clock: ManualClock
) -> None:
    (tmp_path / "no.db").write_bytes(b"this is not a database, whatever its name" * 100)
    with pytest.raises(ConfigError, match="cannot be opened"):
        await SqliteDatabase(tmp_path / "no.db", clock).open()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be opened"):
        await SqliteDatabase(tmp_path / "file" / "a.db", clock).open()


async def test_one_statement_that_breaks_a_constraint_leaves_the_others_of_its_unit(
    database: SqliteDatabase,
) -> None:
    async def tries(unit: Unit) -> None:
        await unit.many(INSERT, [("a", 1), ("a", 2)])

    done = await outcomes(
        database.write(tries, workspace=1), database.write(insert("b"), workspace=1)
    )
    assert isinstance(done[0], Conflict)
    assert await names(database) == ["b"]
