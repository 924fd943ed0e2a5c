"""What a unit writes on PostgreSQL travels together, and is seen by whatever comes after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from armillary.db.postgres_unit import PostgresUnit, together

TABLES = """
create table thing (id text primary key, value bigint not null);
create table told (id bigint generated always as identity, thing text not null);
"""
INSERT = "insert into thing (id, value) values (?, ?)"
UPDATE = "update thing set value = ? where id = ?"
TELL = "insert into told (thing) values (?)"
COPY = "insert into told (thing) select id from thing where value = ?"
VALUES = "select id, value from thing order by id"


class Sent:
    """A connection that notes the statements it is given."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.statements: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, text: str, *args: Any) -> Any:
        self.statements.append(text)
        return await self._connection.execute(text, *args)

    async def executemany(self, text: str, args: Any) -> Any:
        self.statements.append(text)
        return await self._connection.executemany(text, args)


@pytest.fixture
async def sent(fresh_postgres: str) -> AsyncIterator[Sent]:
    connection = await asyncpg.connect(fresh_postgres)
    await connection.execute(TABLES)
    async with connection.transaction():
        yield Sent(connection)
    await connection.close()


@pytest.fixture
def unit(sent: Sent) -> PostgresUnit:
    return PostgresUnit(sent, workspace=1, micros=0)


async def test_writes_to_different_tables_are_one_statement(sent: Sent, unit: PostgresUnit) -> None:
    await unit.many(INSERT, [("a", 1), ("b", 2)])
    await unit.many(TELL, [("a",), ("b",), ("c",)])
    assert sent.statements == []
    await unit.flush()
    assert len(sent.statements) == 1
    assert [tuple(row) for row in await unit.all(VALUES)] == [("a", 1), ("b", 2)]
    assert await unit.value("select string_agg(thing, '' order by id) from told") == "abc"


async def test_a_second_write_to_a_table_sees_the_first(sent: Sent, unit: PostgresUnit) -> None:
    await unit.many(INSERT, [("a", 1)])
    await unit.many(UPDATE, [(5, "a")])
    await unit.flush()
    assert [tuple(row) for row in await unit.all(VALUES)] == [("a", 5)]
    assert len(sent.statements) == 2


async def test_a_read_sees_what_was_written_before_it(unit: PostgresUnit) -> None:
    await unit.many(INSERT, [("a", 1)])
    assert await unit.value("select value from thing where id = ?", "a") == 1
    await unit.many(UPDATE, [(2, "a")])
    assert await unit.run("delete from thing where value = ?", 2) == 1
    await unit.many(INSERT, [("a", 3)])
    rows = await unit.for_each("select id, value from thing where id {one}", ["a"])
    assert [tuple(row) for row in rows] == [("a", 3)]


async def test_a_statement_that_looks_things_up_sees_what_was_written(unit: PostgresUnit) -> None:
    await unit.many(INSERT, [("a", 7), ("b", 7)])
    await unit.many(COPY, [(7,)])
    await unit.flush()
    assert await unit.value("select count(*) from told") == 2


async def test_what_fails_fails_the_unit_before_its_end(unit: PostgresUnit) -> None:
    await unit.many(INSERT, [("a", 1), ("a", 2)])
    await unit.many(TELL, [("a",)])
    with pytest.raises(asyncpg.UniqueViolationError):
        await unit.flush()


def test_arguments_are_numbered_in_the_order_of_the_statements() -> None:
    first = "insert into a (x, y) select d.c1, d.c2 from unnest($1::text[], $2::int8[]) as d"
    second = "insert into b (x) select d.c1 from unnest($1::text[]) as d(c1)"
    assert together((first,)) == first
    assert together((first, second)) == (
        f"with w0 as ({first}), w1 as ({second.replace('$1', '$3')}) select 1"
    )
