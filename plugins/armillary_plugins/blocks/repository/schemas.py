"""Everything asked of and done to block schemas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import Condition, every, json_list
from armillary.db.listing import Span
from armillary.db.unit import Reader, Row, Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import NotFound, Refused
from armillary_plugins.blocks.json_values import object_of, raw_of
from armillary_plugins.blocks.nesting import Edge, SchemaPart, whole_fields
from armillary_plugins.blocks.repository.storage import clear_storage_of
from armillary_plugins.blocks.repository.types import COLUMNS as TYPE_COLUMNS
from armillary_plugins.blocks.repository.types import type_from_row
from armillary_plugins.blocks.schemas import BlockSchema

_COLUMNS = (
    "s.id, s.created, s.updated, s.checksum, s.fields, s.capabilities, s.version, s.block_type_id"
)
_OWN = 8
_FROM = "from block_schema s join block_type t on t.id = s.block_type_id"
_BY_ID = f"select {_COLUMNS}, {TYPE_COLUMNS} {_FROM} where s.workspace = ? and s.id = ?"
_OF_CHECKSUM = """
select s.id from block_schema s where s.workspace = ? and s.checksum = ?
order by s.created desc, s.id desc limit 1
"""
_OF_VERSION = """
select s.id from block_schema s where s.workspace = ? and s.checksum = ? and s.version = ?
"""
_SOME = f"select {_COLUMNS}, {TYPE_COLUMNS} {_FROM} where s.id {{in_list}}"
_EDGES = """
with recursive below (parent_id, name, place, reference_id) as (
    select parent_id, name, place, reference_id from block_schema_reference
    where parent_id {in_list}
    union
    select r.parent_id, r.name, r.place, r.reference_id
    from below join block_schema_reference r on r.parent_id = below.reference_id
)
select parent_id, name, reference_id from below order by parent_id, name, place
"""
_CAPABILITIES = """
select distinct held.value from block_schema s, {elements}(s.capabilities{json}) held
where s.workspace = ? order by held.value
"""
_LOCK = """
select t.is_protected from block_schema s join block_type t on t.id = s.block_type_id
where s.id = ? and s.workspace = ?
"""
_DELETE = "delete from block_schema where id = ?"
# Of another workspace, which there is not, and under a checksum that nothing has.
_PUT_ASIDE = "update block_schema set workspace = -workspace, checksum = id where id = ?"
_MISSING = "Block schema not found"


async def read_schema(reader: Reader, schema_id: str) -> BlockSchema:
    """Read a block schema with all it refers to; NotFound without it."""
    row = await reader.one(_BY_ID, reader.workspace, schema_id)
    if row is None:
        raise NotFound(_MISSING)
    return (await _whole(reader, [row]))[0]


async def read_schemas(reader: Reader, ids: Iterable[str]) -> dict[str, BlockSchema]:
    """Read block schemas by their ids."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) == 1:
        row = await reader.one(_BY_ID, reader.workspace, wanted[0])
        rows: Sequence[Row] = [] if row is None else [row]
    else:
        rows = await reader.all(_SOME, json_list(wanted))
    return {schema.id: schema for schema in await _whole(reader, rows)}


async def find_schema(reader: Reader, checksum: str, version: str | None) -> str | None:
    """Find the id of a schema by its checksum: of a version, or else the newest."""
    if version is None:
        return await reader.value(_OF_CHECKSUM, reader.workspace, checksum)  # type: ignore[no-any-return]
    return await reader.value(  # type: ignore[no-any-return]
        _OF_VERSION, reader.workspace, checksum, version
    )


async def read_schema_by_checksum(
    reader: Reader, checksum: str, version: str | None
) -> BlockSchema:
    """Read a schema by its checksum; NotFound without it."""
    found = await find_schema(reader, checksum, version)
    if found is None:
        raise NotFound(_MISSING)
    return await read_schema(reader, found)


async def list_schemas(reader: Reader, condition: Condition, span: Span) -> list[BlockSchema]:
    """List the schemas ``s`` that meet a condition, the newest first."""
    where = every([Condition("s.workspace = ?", (reader.workspace,)), condition])
    rows = await reader.all(
        f"select {_COLUMNS}, {TYPE_COLUMNS} {_FROM} where {where.sql}"
        " order by s.created desc, s.id desc limit ? offset ?",
        *where.args,
        span.limit,
        span.offset,
    )
    return await _whole(reader, rows)


async def list_capabilities(reader: Reader) -> list[str]:
    """List what blocks can do, each once."""
    return [row[0] for row in await reader.all(_CAPABILITIES, reader.workspace)]


async def delete_schema(unit: Unit, schema_id: str, deletions: Deletions) -> None:
    """Delete a schema with its documents; Refused (403) for one of the SDK's types."""
    protected = await unit.value(_LOCK, schema_id, unit.workspace)
    if protected is None:
        raise NotFound(_MISSING)
    if protected:
        raise Refused(403, "Block schemas for protected block types cannot be deleted.")
    await clear_storage_of(unit, "block_schema_id", schema_id)
    if await deletions.delete_below(unit, "block_schema", [schema_id]):
        await unit.run(_DELETE, schema_id)
    else:
        await unit.run(_PUT_ASIDE, schema_id)


async def _whole(reader: Reader, rows: Sequence[Row]) -> list[BlockSchema]:
    """Shape rows, with what they refer to put back into their fields."""
    if not rows:
        return []
    found = await reader.all(_EDGES, json_list(row[0] for row in rows))
    edges = [Edge(parent, name, child) for parent, name, child in found]
    parts = {row[0]: _part(row) for row in rows}
    missing = {edge.child for edge in edges} - parts.keys()
    if missing:
        parts |= {row[0]: _part(row) for row in await reader.all(_SOME, json_list(missing))}
    return [_schema(row, parts, edges) for row in rows]


def _part(row: Row) -> SchemaPart:
    return SchemaPart(row[0], row[3], row[_OWN + 4], object_of(row[4], "fields"))


def _schema(row: Row, parts: dict[str, SchemaPart], edges: Iterable[Edge]) -> BlockSchema:
    return BlockSchema(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        checksum=row[3],
        fields=raw_of(whole_fields(row[0], parts, edges)),
        block_type_id=row[7],
        block_type=type_from_row(row[_OWN:]),
        capabilities=msgspec.Raw(row[5].encode()),
        version=row[6],
    )
