"""Everything asked of and done to block types."""

from __future__ import annotations

import html
from collections.abc import Mapping

from armillary.clock import from_micros
from armillary.db.filters import Condition, every
from armillary.db.listing import Span
from armillary.db.unit import Reader, Row, Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import Conflict, NotFound, Refused
from armillary.ids import Ids
from armillary_plugins.blocks.events import announce_type
from armillary_plugins.blocks.repository.storage import clear_storage_of
from armillary_plugins.blocks.schemas import BlockType, CreateBlockType

COLUMNS = (
    "t.id, t.created, t.updated, t.name, t.slug, t.logo_url, t.documentation_url, t.description,"
    " t.code_example, t.is_protected"
)
_ALL = f"select {COLUMNS} from block_type t where t.workspace = ?"
_BY_ID = f"{_ALL} and t.id = ?"
_BY_SLUG = f"{_ALL} and t.slug = ?"
_INSERT = """
insert into block_type (id, workspace, created, updated, name, slug, logo_url, documentation_url,
  description, code_example, is_protected) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (workspace, slug) do nothing
"""
_UPDATE = """
update block_type set updated = ?, logo_url = ?, documentation_url = ?, description = ?,
  code_example = ? where id = ?
"""
_LOCK = "select 1 from block_type where id = ? and workspace = ? {for_update}"
_PROTECT = "update block_type set is_protected = 1 where workspace = ? and slug = ?"
_DELETE = "delete from block_type where id = ?"
# Of another workspace, which there is not, and under a slug that nobody gives.
_PUT_ASIDE = "update block_type set workspace = -workspace, slug = id where id = ?"
_PUT_SCHEMAS_ASIDE = """
update block_schema set workspace = -workspace, checksum = id where block_type_id = ?
"""
_MISSING = "Block type not found"


def type_from_row(row: Row) -> BlockType:
    """Shape a row of :data:`COLUMNS`."""
    return BlockType(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        slug=row[4],
        logo_url=row[5],
        documentation_url=row[6],
        description=row[7],
        code_example=row[8],
        is_protected=bool(row[9]),
    )


async def read_type(reader: Reader, type_id: str) -> BlockType:
    """Read a block type; NotFound without it."""
    row = await reader.one(_BY_ID, reader.workspace, type_id)
    if row is None:
        raise NotFound(_MISSING)
    return type_from_row(row)


async def read_type_by_slug(reader: Reader, slug: str) -> BlockType:
    """Read a block type by its slug; NotFound without it."""
    row = await reader.one(_BY_SLUG, reader.workspace, slug)
    if row is None:
        raise NotFound(_MISSING)
    return type_from_row(row)


async def type_exists(reader: Reader, type_id: str) -> bool:
    """Tell whether there is a block type."""
    return await reader.one(_BY_ID, reader.workspace, type_id) is not None


async def list_types(reader: Reader, condition: Condition, span: Span) -> list[BlockType]:
    """List the types ``t`` that meet a condition, by name."""
    where = every([Condition("t.workspace = ?", (reader.workspace,)), condition])
    rows = await reader.all(
        f"select {COLUMNS} from block_type t where {where.sql}"
        " order by t.name, t.id limit ? offset ?",
        *where.args,
        span.limit,
        span.offset,
    )
    return [type_from_row(row) for row in rows]


async def create_type(unit: Unit, ids: Ids, new: CreateBlockType) -> BlockType:
    """Create a block type; Conflict if its slug is taken."""
    made = await insert_type(unit, ids.uuid4(), new)
    if made is None:
        raise Conflict(f'Block type with name "{new.name}" already exists')
    announce_type(unit, ids, "created", made)
    return made


async def insert_type(
    unit: Unit, type_id: str, new: CreateBlockType, *, protected: bool = False
) -> BlockType | None:
    """Insert a block type; None where its slug is taken.  Its texts are for pages, so escaped."""
    moment = from_micros(unit.micros)
    made = BlockType(
        id=type_id, created=moment, updated=moment, name=new.name, slug=new.slug,
        logo_url=new.logo_url, documentation_url=new.documentation_url,
        description=_escaped(new.description), code_example=_escaped(new.code_example),
        is_protected=protected,
    )  # fmt: skip
    inserted = await unit.run(
        _INSERT, made.id, unit.workspace, unit.micros, unit.micros, made.name, made.slug,
        made.logo_url, made.documentation_url, made.description, made.code_example,
        int(made.is_protected),
    )  # fmt: skip
    return made if inserted else None


def _escaped(text: str | None) -> str | None:
    return None if text is None else html.escape(text, quote=False)


async def protect_type(unit: Unit, slug: str) -> None:
    """Let nobody delete a type."""
    await unit.run(_PROTECT, unit.workspace, slug)


async def update_type(
    unit: Unit, ids: Ids, type_id: str, changes: Mapping[str, str | None]
) -> None:
    """Change a block type; nothing happens where nothing differs, as clients say what is there."""
    stored = await read_type(unit, type_id)
    values = {
        name: changes.get(name, getattr(stored, name))
        for name in ("logo_url", "documentation_url", "description", "code_example")
    }
    if all(_plain(value) == _plain(getattr(stored, name)) for name, value in values.items()):
        return
    await unit.run(_UPDATE, unit.micros, *values.values(), type_id)
    announce_type(unit, ids, "updated", await read_type(unit, type_id))


def _plain(text: str | None) -> str | None:
    return None if text is None else html.unescape(text)


async def delete_type(unit: Unit, ids: Ids, type_id: str, deletions: Deletions) -> None:
    """Delete a block type with its schemas and documents; Refused (403) for one of the SDK's."""
    if await unit.one(_LOCK, type_id, unit.workspace) is None:
        raise NotFound(_MISSING)
    stored = await read_type(unit, type_id)
    if stored.is_protected:
        raise Refused(403, "protected block types cannot be deleted.")
    await clear_storage_of(unit, "block_type_id", type_id)
    if await deletions.delete_below(unit, "block_type", [type_id]):
        await unit.run(_DELETE, type_id)
    else:
        await unit.run(_PUT_ASIDE, type_id)
        await unit.run(_PUT_SCHEMAS_ASIDE, type_id)
    announce_type(unit, ids, "deleted", stored)
