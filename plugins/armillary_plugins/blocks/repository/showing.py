"""Block documents and types as lists of pages show them: nothing of it is decrypted."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.db.unit import Reader, Row
from armillary_plugins.blocks.repository.types import COLUMNS, type_from_row
from armillary_plugins.blocks.schemas import BlockType

_DOCUMENTS = """
select d.id, d.name, t.name, t.slug, d.created, d.updated
from block_document d join block_type t on t.id = d.block_type_id
where d.workspace = ? and d.is_anonymous = 0 and d.name {ilike} ? escape '\\' {kind}
  and (d.name {way} ? or (d.name = ? and d.id {way} ?))
order by d.name {order}, d.id {order} limit ?
"""
_TYPES = f"""
select {COLUMNS} from block_type t
where t.workspace = ? and (t.name {{ilike}} ? escape '\\' or t.slug {{ilike}} ? escape '\\')
  and (t.name {{way}} ? or (t.name = ? and t.id {{way}} ?))
order by t.name {{order}}, t.id {{order}} limit ?
"""


def _both(sql: str) -> dict[bool, str]:
    """The statement for each direction, by whether it is the reverse one."""
    return {
        False: sql.replace("{way}", ">").replace("{order}", "asc"),
        True: sql.replace("{way}", "<").replace("{order}", "desc"),
    }


DOCUMENTS = _both(_DOCUMENTS.replace("{kind}", ""))
_OF_TYPE = _both(_DOCUMENTS.replace("{kind}", "and t.slug = ?"))
_CATALOGUE = _both(_TYPES)


async def list_shown(  # noqa: PLR0913 - which documents, from where, how many
    reader: Reader, pattern: str, slug: str, *, limit: int, place: tuple[str, str], backwards: bool
) -> Sequence[Row]:
    """List documents by name, from behind a name and an id, or from before them."""
    sql = (_OF_TYPE if slug else DOCUMENTS)[backwards]
    of_type = (slug,) if slug else ()
    name, document_id = place
    return await reader.all(
        sql, reader.workspace, pattern, *of_type, name, name, document_id, limit
    )


async def list_catalogue(
    reader: Reader, pattern: str, *, limit: int, place: tuple[str, str], backwards: bool
) -> list[BlockType]:
    """List types by name, from behind a name and an id, or from before them."""
    name, type_id = place
    rows = await reader.all(
        _CATALOGUE[backwards], reader.workspace, pattern, pattern, name, name, type_id, limit
    )
    return [type_from_row(row) for row in rows]
