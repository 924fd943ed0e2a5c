"""PostgreSQL: groups, deadlocks, connections that are cut, and rows as arrays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from armillary.db import postgres
from armillary.db.migrate import upgrade
from armillary.db.postgres import PostgresDatabase
from armillary.db.postgres_unit import PostgresUnit
from armillary.db.tables import Tables
from armillary.db.unit import Emitted, Unit
from armillary.errors import ConfigError, Conflict, Unavailable
from armillary.testing import ManualClock
from tests.core.db.things import (
    INSERT,
    Ask,
    Counts,
    InOrder,
    Inserts,
    insert,
    names,
    prepare,
    told,
    value,
)


@pytest.fixture
async def database(fresh_postgres: str, clock: ManualClock) -> AsyncIterator[PostgresDatabase]:
    made = PostgresDatabase(fresh_postgres, clock)
    await made.open()
    await upgrade(made, [Tables(owner="core", after=())])
    await prepare(made)
    yield made
    await made.close()


@pytest.fixture
async def other(database: PostgresDatabase, clock: ManualClock) -> AsyncIterator[PostgresDatabase]:
    """The same database as another process has it."""
    made = PostgresDatabase(database.url, clock)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def admin(database: PostgresDatabase) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database.url)
    yield connection
    await connection.close()


UPSERT = f"{INSERT} on conflict (id) do update set value ="


async def outcomes(*work: Any) -> list[Any]:
    return await asyncio.gather(*work, return_exceptions=True)


async def cut(admin: Any) -> None:
    """End every connection but one's own."""
    await admin.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )


async def test_a_connection_that_is_cut_is_unavailable_and_the_next_work_is_done(
    database: PostgresDatabase, admin: Any
) -> None:
    async def cuts(unit: Unit) -> None:
        await insert("half")(unit)
        await cut(admin)
        await unit.run("select 1")

    done = await outcomes(database.write(cuts, workspace=1))
    assert isinstance(done[0], Unavailable)
    assert await database.write(insert("a"), workspace=1) == "a"
    assert await names(database) == ["a"]
    assert await told(database) == ["a"]


async def test_a_group_whose_connection_is_cut_is_unavailable_and_is_not_tried_singly(
    database: PostgresDatabase, admin: Any
) -> None:
    class Cut(Inserts):
        async def execute(self, unit: Unit, requests: Any) -> Any:
            if not self.batches:
                await cut(admin)
            return await super().execute(unit, requests)

    operation = Cut()
    done = await outcomes(*(database.perform(operation, Ask(name)) for name in "abc"))
    assert all(isinstance(each, Unavailable) for each in done)
    assert operation.batches == [["a", "b", "c"]]
    assert await database.perform(operation, Ask("d")) == "d"
    assert await names(database) == ["d"]


async def test_idle_connections_that_were_cut_are_replaced(
    database: PostgresDatabase, admin: Any
) -> None:
    operation = Inserts()
    await asyncio.gather(*(database.write(insert(name), workspace=1) for name in "abcd"))
    await cut(admin)
    # The cut reaches us some time later; until then a read may still meet a dead connection.
    for attempt in range(20):
        done = await outcomes(names(database), database.perform(operation, Ask(f"x{attempt}")))
        assert all(
            isinstance(each, Unavailable) for each in done if isinstance(each, BaseException)
        )
        if not isinstance(done[1], BaseException):
            break
    assert await names(database) == ["a", "b", "c", "d", f"x{attempt}"]


async def test_a_deadlocks_victim_is_done_again(
    database: PostgresDatabase, other: PostgresDatabase
) -> None:
    for name in "ab":
        await database.write(insert(name), workspace=1)
    meet = asyncio.Barrier(2)
    tries: list[str] = []

    def crossing(first: str, second: str) -> Callable[[Unit], Any]:
        async def work(unit: Unit) -> None:
            tries.append(first)
            await unit.run("update thing set value = value + 1 where id = ?", first)
            if tries.count(first) == 1:
                await meet.wait()
            await unit.run("update thing set value = value + 1 where id = ?", second)
            unit.emit(Emitted("things", f"from {first}", "{}"))

        return work

    await asyncio.gather(
        database.write(crossing("a", "b"), workspace=1),
        other.write(crossing("b", "a"), workspace=1),
    )
    assert [await value(database, name) for name in "ab"] == [2, 2]
    assert len(tries) >= 3  # on a slow machine they meet again
    assert sorted((await told(database))[2:]) == ["from a", "from b"]


async def test_who_is_always_the_victim_is_unavailable_in_the_end(
    database: PostgresDatabase,
) -> None:
    tries: list[int] = []

    async def unlucky(unit: Unit) -> None:
        tries.append(1)
        await insert("half")(unit)
        raise asyncpg.DeadlockDetectedError

    done = await outcomes(database.write(unlucky, workspace=1))
    assert isinstance(done[0], Unavailable)
    assert len(tries) == 5
    assert await names(database) == []


async def test_two_processes_that_store_one_thing_at_once_are_both_told_of_it(
    database: PostgresDatabase, other: PostgresDatabase
) -> None:
    meet = asyncio.Barrier(2)
    tries: list[str] = []

    def once(name: str) -> Callable[[Unit], Any]:
        async def work(unit: Unit) -> str:
            tries.append(name)
            found = await unit.value("select id from thing where id = ?", "only")
            if len(tries) <= 2:
                await meet.wait()
            if found is None:
                await insert("only")(unit)
            return "made" if found is None else "found"

        return work

    done = await asyncio.gather(
        database.write(once("a"), workspace=1), other.write(once("b"), workspace=1)
    )
    assert sorted(done) == ["found", "made"]
    assert await told(database) == ["only"]


async def test_what_is_there_already_is_a_conflict_however_often_it_is_stored(
    database: PostgresDatabase,
) -> None:
    tries: list[int] = []

    async def blind(unit: Unit) -> None:
        tries.append(1)
        await insert("a")(unit)

    await database.write(insert("a"), workspace=1)
    (done,) = await outcomes(database.write(blind, workspace=1))
    assert isinstance(done, Conflict)
    assert len(tries) == 2


async def test_two_processes_count_one_row_without_losing_a_count(
    database: PostgresDatabase, other: PostgresDatabase
) -> None:
    for name in "abc":
        await database.write(insert(name), workspace=1)
    ours, theirs = Counts(), Counts()
    await asyncio.gather(
        *(database.perform(ours, name) for name in "abc" * 20),
        *(other.perform(theirs, name) for name in "cba" * 20),
    )
    assert [await value(database, name) for name in "abc"] == [40, 40, 40]


async def test_what_is_about_one_thing_waits_while_it_is_under_way(
    database: PostgresDatabase,
) -> None:
    class Slow(Inserts):
        def key(self, request: Any) -> object:
            return request.name[0]

    operation = Slow()
    operation.gate = asyncio.Event()
    asked = [database.perform(operation, Ask(name)) for name in ("a1", "b1", "a2")]
    await operation.entered.acquire()
    asked.append(database.perform(operation, Ask("c1")))
    await operation.entered.acquire()
    # The second writer has taken what is about something else, and nothing more.
    assert operation.batches == [["a1", "b1"], ["c1"]]
    operation.gate.set()
    await asyncio.gather(*asked)
    assert operation.batches == [["a1", "b1"], ["c1"], ["a2"]]


async def test_serial_operations_keep_their_order_across_batches(
    database: PostgresDatabase,
) -> None:
    operation = InOrder()
    done = await asyncio.gather(*(database.perform(operation, Ask(f"{n:03}")) for n in range(200)))
    assert done == [f"{n:03}" for n in range(200)]
    assert [name for batch in operation.batches for name in batch] == done
    assert await told(database) == done


async def test_serial_operations_keep_their_order_when_one_of_a_batch_fails(
    database: PostgresDatabase,
) -> None:
    operation = InOrder()
    asked = [Ask(f"{n}", "all" if n == 3 else "") for n in range(8)]
    done = await outcomes(*(database.perform(operation, ask) for ask in asked))
    assert isinstance(done[3], LookupError)
    assert await told(database) == [f"{n}" for n in range(8) if n != 3]


async def test_a_unit_whose_caller_goes_away_is_rolled_back_and_its_connection_is_clean(
    database: PostgresDatabase,
) -> None:
    inside = asyncio.Event()

    async def waits(unit: Unit) -> None:
        await insert("half")(unit)
        inside.set()
        await unit.run("select pg_sleep(30)")

    task = asyncio.ensure_future(database.write(waits, workspace=1))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    done = await asyncio.gather(*(database.write(insert(f"{n}"), workspace=1) for n in range(10)))
    assert len(done) == 10
    assert "half" not in await names(database)


async def test_units_cancelled_at_any_moment_leave_no_transaction_open(
    database: PostgresDatabase, admin: Any
) -> None:
    for turns in range(0, 60, 2):
        task = asyncio.ensure_future(database.write(insert(f"c{turns}"), workspace=1))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await outcomes(task)
    await asyncio.gather(*(database.write(insert(f"{n}"), workspace=1) for n in range(10)))
    open_ones = await admin.fetchval(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and state like 'idle in transaction%'"
    )
    assert open_ones == 0
    assert {f"{n}" for n in range(10)} <= set(await names(database))


async def test_a_transaction_that_the_server_gave_up_is_no_success(
    database: PostgresDatabase,
) -> None:
    async def hides(unit: Unit) -> str:
        await insert("a")(unit)
        try:
            await unit.run("select 1 / 0")
        except asyncpg.DivisionByZeroError:
            return "all is well"
        return "unreachable"

    done = await outcomes(database.write(hides, workspace=1))
    assert isinstance(done[0], Exception)
    assert await names(database) == []


async def test_a_server_that_is_not_there_is_one_sentence_without_the_password(
    clock: ManualClock,
) -> None:
    database = PostgresDatabase("postgresql://me:secret@127.0.0.1:1/nothing", clock)
    with pytest.raises(ConfigError, match="cannot be reached") as caught:
        await database.open()
    assert "secret" not in str(caught.value)


async def test_a_database_that_opens_only_halfway_lets_go_of_that_half(
    database: PostgresDatabase, clock: ManualClock, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = "select count(*) from pg_stat_activity where datname = current_database()"
    before = await admin.fetchval(count)
    monkeypatch.setattr(postgres, "_BY_KEY", {"plan_cache_mode": "no such mode"})
    with pytest.raises(ConfigError, match="cannot be reached"):
        await PostgresDatabase(database.url, clock).open()
    async with asyncio.timeout(60):
        while await admin.fetchval(count) > before:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def test_who_stands_still_in_the_middle_of_a_unit_keeps_nobody_from_its_rows(
    database: PostgresDatabase,
    fresh_postgres: str,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "_SETTINGS", {"idle_in_transaction_session_timeout": "100ms"})
    frozen = PostgresDatabase(fresh_postgres, clock)
    await frozen.open()
    await database.write(insert("a"), workspace=1)
    locked, woken = asyncio.Event(), asyncio.Event()

    async def stands_still(unit: Unit) -> None:
        await unit.one("select value from thing where id = 'a' {for_update}")
        locked.set()
        await woken.wait()
        await unit.run(INSERT, "b", 1)

    standing = asyncio.create_task(frozen.write(stands_still, workspace=1))
    async with asyncio.timeout(60):
        await locked.wait()
        await database.write(
            lambda unit: unit.run("update thing set value = 2 where id = ?", "a"), workspace=1
        )
    woken.set()
    (done,) = await outcomes(standing)
    assert isinstance(done, Unavailable)
    assert await frozen.write(insert("c"), workspace=1) == "c"
    assert (await names(database), await value(database, "a")) == (["a", "c"], 2)
    await frozen.close()


ODD: list[tuple[Any, ...]] = [
    ("null", None, None, None, None),
    ("quoted 'text' ? $1 {token} \\ \"x\"", 1, 1, 1.5, '{"a": [1, "ü"]}'),
    ("", -(2**63), 0, 0.0, "[]"),
    ("large", 2**63 - 1, 1, 1e300, "x" * 100_000),
]


async def test_rows_travel_as_arrays_as_they_are(database: PostgresDatabase) -> None:
    columns = "id text primary key, n bigint, flag smallint, share double precision, body text"

    async def work(unit: Unit) -> list[tuple[Any, ...]]:
        await unit.run(f"create table odd ({columns})")
        await unit.many("insert into odd (id, n, flag, share, body) values (?, ?, ?, ?, ?)", ODD)
        await unit.many(
            "update odd set n = ?, flag = ? where id = ?", [(7, None, "null"), (None, 0, "large")]
        )
        return [tuple(row) for row in await unit.all("select * from odd order by length(id), id")]

    stored = {row[0]: row[1:] for row in await database.write(work, workspace=1)}
    assert stored == {
        "null": (7, None, None, None),
        ODD[1][0]: ODD[1][1:],
        "": ODD[2][1:],
        "large": (None, 0, 1e300, "x" * 100_000),
    }


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("insert into thing (id, value) values (?, ?) on conflict do nothing", 1),
        (f"{UPSERT} excluded.value", 3),
        (f"{UPSERT} thing.value + excluded.value", 6),
        ("insert into thing (id, value) values (?, coalesce(?, 0)) on conflict do nothing", 1),
    ],
)
async def test_a_row_met_again_is_treated_as_in_single_statements(
    database: PostgresDatabase, statement: str, expected: int
) -> None:
    async def work(unit: Unit) -> None:
        await unit.many(statement, [("a", 1), ("a", 2), ("a", 3), ("b", 4)])

    await database.write(work, workspace=1)
    assert await value(database, "a") == expected
    assert await value(database, "b") == 4


async def test_a_group_of_events_is_written_in_one_statement(database: PostgresDatabase) -> None:
    async def work(unit: Unit) -> None:
        assert isinstance(unit, PostgresUnit)
        for n in range(5):
            unit.emit(Emitted("things", f"{n}", "{}"))

    await database.write(work, workspace=1)
    rows = await database.read(None).all("select event_id, tx from outbox order by id")
    assert [row[0] for row in rows] == [f"{n}" for n in range(5)]
    assert len({row[1] for row in rows}) == 1
    assert rows[0][1] > 0


async def test_a_single_row_needs_no_array(database: PostgresDatabase) -> None:
    async def work(unit: Unit) -> None:
        await unit.many(INSERT, [("a", None)])

    await database.write(work, workspace=1)
    assert await names(database) == ["a"]
