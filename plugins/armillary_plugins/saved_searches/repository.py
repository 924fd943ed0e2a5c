"""Every query on saved searches."""

from __future__ import annotations

import msgspec

from armillary.clock import from_micros
from armillary.db.listing import Span
from armillary.db.unit import Reader, Row, Unit
from armillary.errors import NotFound
from armillary.ids import Ids
from armillary_plugins.saved_searches.schemas import SavedSearch, SaveSearch, SearchCondition

_FROM = "select id, created, updated, name, filters from saved_search where workspace = ?"
_BY_ID = f"{_FROM} and id = ?"
_BY_NAME = f"{_FROM} and name = ?"
_LIST = f"{_FROM} order by name limit ? offset ?"
_SAVE = """
insert into saved_search (id, workspace, created, updated, name, filters)
values (?, ?, ?, ?, ?, ?)
on conflict (workspace, name) do update set updated = excluded.updated, filters = excluded.filters
"""
_DELETE = "delete from saved_search where workspace = ? and id = ?"
_MISSING = "Saved search not found"
_conditions = msgspec.json.Decoder(list[SearchCondition]).decode


async def save(unit: Unit, ids: Ids, new: SaveSearch) -> tuple[SavedSearch, bool]:
    """Save a search, or replace the one of that name; tell whether it is new."""
    search_id = ids.uuid4()
    filters = msgspec.json.encode(new.filters).decode()
    await unit.run(_SAVE, search_id, unit.workspace, unit.micros, unit.micros, new.name, filters)
    saved = _found(await unit.one(_BY_NAME, unit.workspace, new.name))
    return saved, saved.id == search_id


async def read(reader: Reader, search_id: str) -> SavedSearch:
    """Read a saved search; NotFound without it."""
    return _found(await reader.one(_BY_ID, reader.workspace, search_id))


async def list_searches(reader: Reader, span: Span) -> list[SavedSearch]:
    """List saved searches by name."""
    rows = await reader.all(_LIST, reader.workspace, span.limit, span.offset)
    return [_search(row) for row in rows]


async def delete(unit: Unit, search_id: str) -> None:
    """Delete a saved search; NotFound without it."""
    if not await unit.run(_DELETE, unit.workspace, search_id):
        raise NotFound(_MISSING)


def _found(row: Row | None) -> SavedSearch:
    if row is None:
        raise NotFound(_MISSING)
    return _search(row)


def _search(row: Row) -> SavedSearch:
    return SavedSearch(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        filters=_conditions(row[4]),
    )
