"""What clients link to that has no page of its own yet."""

from __future__ import annotations

from armillary.db.unit import Reader
from armillary_plugins.ui.schemas import Thing

_LIMIT = "select id, name from concurrency_limit where workspace = ? and id = ?"


async def find_limit(reader: Reader, key: str) -> Thing | None:
    """Find a concurrency limit by id."""
    row = await reader.one(_LIMIT, reader.workspace, key)
    return None if row is None else Thing(kind="Concurrency limit", id=row[0], name=row[1])
