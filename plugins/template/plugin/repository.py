"""Keeps the number."""

from __future__ import annotations

from armillary.db.unit import Reader, Unit

_ADD = (
    "insert into example (workspace, moments) values (?, 1) "
    "on conflict (workspace) do update set moments = example.moments + 1"
)
_READ = "select moments from example where workspace = ?"
_FORGET = "delete from example where workspace = ?"


async def add_moment(unit: Unit) -> None:
    """Count one moment of the unit's workspace."""
    await unit.run(_ADD, unit.workspace)


async def read_moments(reader: Reader) -> int:
    """Return how many were counted."""
    return int(await reader.value(_READ, reader.workspace) or 0)


async def forget_moments(unit: Unit) -> None:
    """Forget those of the unit's workspace."""
    await unit.run(_FORGET, unit.workspace)
