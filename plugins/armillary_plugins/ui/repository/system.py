"""What the page of the system asks the database about itself."""

from __future__ import annotations

import msgspec

from armillary.db.dialect import Dialect
from armillary.db.unit import Reader

_SQLITE = """
select sqlite_version(),
  (select page_count from pragma_page_count()) * (select page_size from pragma_page_size())
"""
_POSTGRES = "select current_setting('server_version'), pg_database_size(current_database())"
_KINDS = {Dialect.SQLITE: ("SQLite", _SQLITE), Dialect.POSTGRES: ("PostgreSQL", _POSTGRES)}


class Store(msgspec.Struct, frozen=True):
    """A database: its kind and version, and how many bytes it has."""

    kind: str
    size: int


async def read_store(reader: Reader) -> Store:
    """Ask the database what it is."""
    name, sql = _KINDS[reader.dialect]
    row = await reader.one(sql)
    return Store(name, 0) if row is None else Store(f"{name} {row[0]}", int(row[1]))
