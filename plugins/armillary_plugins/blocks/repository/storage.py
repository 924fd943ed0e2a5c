"""The default result storage, where the document it names goes."""

from __future__ import annotations

from typing import Literal

from armillary.db.unit import Unit
from armillary.system.storage import NAME

_CLEAR = {
    by: "delete from configuration where workspace = ? and name = ?"
    f" and value in (select id from block_document where {by} = ?)"
    for by in ("id", "block_schema_id", "block_type_id")
}


async def clear_storage_of(
    unit: Unit, by: Literal["id", "block_schema_id", "block_type_id"], value: str
) -> None:
    """Choose no default result storage any more where it is one of these documents."""
    await unit.run(_CLEAR[by], unit.workspace, NAME, value)
