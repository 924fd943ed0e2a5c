"""The workspace's default result storage, kept in the configuration table."""

from __future__ import annotations

from uuid import UUID

from armillary.db.unit import Reader, Unit

NAME = "default_result_storage_block_id"
_CHOOSE = """
insert into configuration (workspace, name, value, updated) values (?, ?, ?, ?)
on conflict (workspace, name) do update set value = excluded.value, updated = excluded.updated
"""


async def default_block(reader: Reader) -> UUID | None:
    """Return the id of the chosen block document."""
    value = await reader.value(
        "select value from configuration where workspace = ? and name = ?", reader.workspace, NAME
    )
    return None if value is None else UUID(value)


async def clear(unit: Unit) -> None:
    """Choose none."""
    await unit.run(
        "delete from configuration where workspace = ? and name = ?", unit.workspace, NAME
    )


async def choose(unit: Unit, document_id: str) -> None:
    """Choose a block document."""
    await unit.run(_CHOOSE, unit.workspace, NAME, document_id, unit.micros)
