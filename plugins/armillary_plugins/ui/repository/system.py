"""What the page of the system asks the database about itself."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Reader

_ITSELF = "select {itself}"


class Store(msgspec.Struct, frozen=True):
    """A database: its kind and version, and how many bytes it has."""

    kind: str
    size: int


async def read_store(reader: Reader) -> Store:
    """Ask the database what it is."""
    kind, size = await reader.one(_ITSELF) or ("", 0)
    return Store(kind, int(size))
