"""The migrations make exactly the tables that are declared, on both databases."""

from typing import TypeAlias

from armillary.clock import SystemClock
from armillary.db.core_tables import core_tables
from armillary.db.database import Database
from armillary.db.engine import database_for
from armillary.db.migrate import upgrade
from armillary.db.tables import Tables

Shape: TypeAlias = dict[str, tuple[str, bool | None]]
"""Columns by name: type, and whether null is allowed, where that is not a key's business."""

TYPES = {
    "Integer": "integer",
    "BigInt": "bigint",
    "SmallInt": "smallint",
    "Text": "text",
    "DoublePrecision": "double precision",
    "BigSerial": "serial",
}
MIGRATIONS = "migration"


def declared(tables: Tables) -> dict[str, Shape]:
    return {
        table._meta.tablename: {
            column._meta.db_column_name: (
                TYPES[type(column).__name__],
                None if column._meta.primary_key else column._meta.null,
            )
            for column in table._meta.columns
        }
        for table in tables.classes
    }


async def migrated(database: Database, dialect: str) -> dict[str, Shape]:
    """What the database says of itself; nullness as it is."""
    if dialect == "sqlite":
        sql = """select m.name, c.name, lower(c.type), c."notnull" = 0
            from sqlite_master m join pragma_table_info(m.name) c
            where m.type = 'table' and m.name not like 'sqlite%'"""
    else:
        sql = """select table_name, column_name,
              case when is_identity = 'YES' then 'serial' else data_type end, is_nullable = 'YES'
            from information_schema.columns where table_schema = 'public'"""
    found: dict[str, Shape] = {}
    for table, column, kind, null in await database.read(None).all(sql):
        found.setdefault(table, {})[column] = (kind, bool(null))
    found.pop(MIGRATIONS)
    return found


def comparable(found: dict[str, Shape], like: dict[str, Shape]) -> dict[str, Shape]:
    """Leave out what the declaration does not say: nulls in keys, and how SQLite counts."""
    return {
        table: {
            name: (
                "serial" if (kind, wanted(like, table, name)) == ("integer", "serial") else kind,
                None if is_key(like, table, name) else null,
            )
            for name, (kind, null) in shape.items()
        }
        for table, shape in found.items()
    }


def wanted(like: dict[str, Shape], table: str, name: str) -> str | None:
    return like.get(table, {}).get(name, (None, None))[0]


def is_key(like: dict[str, Shape], table: str, name: str) -> bool:
    return name in like.get(table, {}) and like[table][name][1] is None


async def test_the_migrated_schema_is_the_declared_one(
    empty_database_url: str, dialect: str
) -> None:
    tables = core_tables()
    database = database_for(empty_database_url, SystemClock())
    await database.open()
    try:
        await upgrade(database, [tables])
        expected = declared(tables)
        assert comparable(await migrated(database, dialect), expected) == expected
    finally:
        await database.close()


def test_no_table_is_declared_twice() -> None:
    names = [table._meta.tablename for table in core_tables().classes]
    assert sorted(names) == sorted(set(names))
