"""Block documents as answered: by id, by name, and in lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import Condition, every, json_list
from armillary.db.listing import Span
from armillary.db.unit import Reader, Row
from armillary.errors import NotFound
from armillary_plugins.blocks.json_values import object_of, raw_of
from armillary_plugins.blocks.references import Edge, Family, Part
from armillary_plugins.blocks.repository.schemas import read_schemas
from armillary_plugins.blocks.repository.types import COLUMNS as TYPE_COLUMNS
from armillary_plugins.blocks.repository.types import type_from_row
from armillary_plugins.blocks.repository.vault import Vault
from armillary_plugins.blocks.schemas import BlockDocument, BlockSchema
from armillary_plugins.blocks.secret_fields import hidden, secrets_of

_COLUMNS = "d.id, d.created, d.updated, d.name, d.block_schema_id, d.is_anonymous, d.data, s.fields"
_OWN = 8
_TABLES = (
    "block_document d join block_type t on t.id = d.block_type_id"
    " join block_schema s on s.id = d.block_schema_id"
)
_SELECT = f"select {_COLUMNS}, {TYPE_COLUMNS} from {_TABLES}"
_BY_ID = f"{_SELECT} where d.workspace = ? and d.id = ?"
_BY_NAME = f"{_SELECT} where t.workspace = ? and t.slug = ? and d.name = ?"
_SOME = f"{_SELECT} where d.workspace = ? and d.id {{in_list}}"
_EDGES = """
with recursive below (parent_id, name, reference_id) as (
    select parent_id, name, reference_id from block_document_reference where parent_id {in_list}
    union
    select r.parent_id, r.name, r.reference_id
    from below join block_document_reference r on r.parent_id = below.reference_id
)
select parent_id, name, reference_id from below order by parent_id, name
"""
_CAPABILITIES = """
select s.capabilities from block_document d join block_schema s on s.id = d.block_schema_id
where d.workspace = ? and d.id = ?
"""
_ORDERS = {
    "NAME_ASC": "d.name, d.id",
    "NAME_DESC": "d.name desc, d.id desc",
    "BLOCK_TYPE_AND_NAME_ASC": "t.name, d.name, d.id",
}
MISSING = "Block document not found"
ALL = 10_000
"""As many as are listed where no part is asked for."""


async def read_document(
    reader: Reader, vault: Vault, document_id: str, *, secrets: bool = False
) -> BlockDocument:
    """Read a document with those it refers to; NotFound without it."""
    row = await reader.one(_BY_ID, reader.workspace, document_id)
    if row is None:
        raise NotFound(MISSING)
    return (await _whole(reader, vault, [row], secrets=secrets))[0]


async def read_document_by_name(
    reader: Reader, vault: Vault, slug: str, name: str, *, secrets: bool = False
) -> BlockDocument:
    """Read a document of a type by its name; NotFound without it."""
    row = await reader.one(_BY_NAME, reader.workspace, slug, name)
    if row is None:
        raise NotFound(MISSING)
    return (await _whole(reader, vault, [row], secrets=secrets))[0]


async def list_documents(  # noqa: PLR0913 - which, in which order, which part, how much of each
    reader: Reader,
    vault: Vault,
    condition: Condition,
    *,
    sort: str,
    span: Span,
    secrets: bool = False,
) -> list[BlockDocument]:
    """List the documents ``d`` that meet a condition."""
    where = _in_workspace(reader, condition)
    rows = await reader.all(
        f"{_SELECT} where {where.sql} order by {_ORDERS[sort]} limit ? offset ?",
        *where.args,
        span.limit,
        span.offset,
    )
    return await _whole(reader, vault, rows, secrets=secrets)


def of_type(type_id: str) -> Condition:
    """The documents of a type that have names."""
    return Condition("d.block_type_id = ? and d.is_anonymous = 0", (type_id,))


async def count_documents(reader: Reader, condition: Condition) -> int:
    """Count the documents that meet a condition."""
    where = _in_workspace(reader, condition)
    rows = await reader.all(f"select count(*) from block_document d where {where.sql}", *where.args)
    return int(rows[0][0])


def _in_workspace(reader: Reader, condition: Condition) -> Condition:
    return every([Condition("d.workspace = ?", (reader.workspace,)), condition])


async def read_data(reader: Reader, vault: Vault, ids: Collection[str]) -> dict[str, msgspec.Raw]:
    """Read what documents hold, secrets included, by their ids; those that are not there lack."""
    rows = await reader.all(_SOME, reader.workspace, json_list(ids))
    return {each.id: each.data for each in await _whole(reader, vault, rows, secrets=True)}


async def capabilities_of(reader: Reader, document_id: str) -> frozenset[str] | None:
    """Tell what the block of a document can do; None without the document."""
    text = await reader.value(_CAPABILITIES, reader.workspace, document_id)
    return None if text is None else frozenset(msgspec.json.decode(text, type=list[str]))


async def _whole(
    reader: Reader, vault: Vault, rows: Sequence[Row], *, secrets: bool
) -> list[BlockDocument]:
    """Shape rows, with the documents they refer to in them; a mask stands for secrets."""
    if not rows:
        return []
    found = await reader.all(_EDGES, json_list(row[0] for row in rows))
    edges = [Edge(parent, name, child) for parent, name, child in found]
    known = {row[0]: row for row in rows}
    missing = {edge.child for edge in edges} - known.keys()
    if missing:
        others = await reader.all(_SOME, reader.workspace, json_list(missing))
        known |= {row[0]: row for row in others}
    parts = {key: await _part(reader, vault, row, secrets=secrets) for key, row in known.items()}
    family = Family(parts, edges)
    schemas = await read_schemas(reader, (row[4] for row in rows))
    return [_document(row, family, schemas) for row in rows]


async def _part(reader: Reader, vault: Vault, row: Row, *, secrets: bool) -> Part:
    data = await vault.opened(reader, row[6])
    if not secrets:
        data = hidden(data, secrets_of(object_of(row[7], "fields")))
    return Part(
        id=row[0],
        name=row[3],
        block_type=type_from_row(row[_OWN:]),
        is_anonymous=bool(row[5]),
        data=data,
    )


def _document(row: Row, family: Family, schemas: Mapping[str, BlockSchema]) -> BlockDocument:
    data, references = family.whole(row[0])
    block_type = type_from_row(row[_OWN:])
    return BlockDocument(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        data=raw_of(data),
        block_schema_id=row[4],
        block_schema=schemas[row[4]],
        block_type_id=block_type.id,
        block_type_name=block_type.name,
        block_type=block_type,
        block_document_references=references,
        is_anonymous=bool(row[5]),
    )
