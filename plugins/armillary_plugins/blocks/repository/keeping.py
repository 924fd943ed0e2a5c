"""Everything that changes block documents."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import msgspec

from armillary.db.unit import Unit
from armillary.deleting.deletions import Deletions
from armillary.errors import Conflict, NotFound, Refused
from armillary.ids import Ids
from armillary_plugins.blocks.events import announce_document
from armillary_plugins.blocks.json_values import Object, given_object, object_of
from armillary_plugins.blocks.references import separated
from armillary_plugins.blocks.repository.documents import MISSING, read_document
from armillary_plugins.blocks.repository.storage import clear_storage_of
from armillary_plugins.blocks.repository.vault import KeyMissing, Vault
from armillary_plugins.blocks.schemas import (
    BlockDocument,
    CreateBlockDocument,
    UpdateBlockDocument,
)
from armillary_plugins.blocks.secret_fields import MASK, kept, secrets_of

_TYPE = "select 1 from block_type where id = ? and workspace = ?"
_SCHEMA = "select block_type_id, fields from block_schema where id = ? and workspace = ?"
_INSERT = """
insert into block_document (id, workspace, created, updated, name, block_type_id, block_schema_id,
  is_anonymous, data) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (block_type_id, name) do nothing
"""
_STORED = """
select d.data, d.block_type_id, d.block_schema_id, s.fields
from block_document d join block_schema s on s.id = d.block_schema_id
where d.id = ? and d.workspace = ?
"""
_LOCK = "select 1 from block_document where id = ? and workspace = ? {for_update}"
_UPDATE = "update block_document set data = ?, block_schema_id = ?, updated = ? where id = ?"
_DELETE = "delete from block_document where id = ?"
# Of another workspace, which there is not, and under a name that nobody gives.
_PUT_ASIDE = "update block_document set workspace = -workspace, name = id where id = ?"
_FORGET = "delete from block_document_reference where parent_id = ?"
_REFER = """
insert into block_document_reference (parent_id, name, reference_id, workspace)
values (?, ?, ?, ?)
"""
_LOCK_REFERENCES = "select 1 from block_key {for_update}"
_EXISTS = "select 1 from block_document where id = ? and workspace = ?"
_LEADS_TO = """
with recursive below (id) as (
    select reference_id from block_document_reference where parent_id = ?
    union
    select r.reference_id
    from below join block_document_reference r on r.parent_id = below.id
)
select 1 from below where id = ?
"""


async def create_document(
    unit: Unit, ids: Ids, vault: Vault, new: CreateBlockDocument
) -> BlockDocument:
    """Create a document; Conflict where the type has one of that name."""
    type_id, schema_id = str(new.block_type_id), str(new.block_schema_id)
    if await unit.one(_TYPE, type_id, unit.workspace) is None:
        raise NotFound(f"Block type {type_id} not found.")
    await _check_schema(unit, schema_id, type_id)
    data, referred = separated(given_object(new.data, "data"))
    document_id = ids.uuid4()
    name = new.name or f"anonymous-{ids.uuid4()}"
    inserted = await unit.run(
        _INSERT, document_id, unit.workspace, unit.micros, unit.micros, name, type_id, schema_id,
        int(new.is_anonymous), await vault.closed(unit, data),
    )  # fmt: skip
    if not inserted:
        raise Conflict("Block already exists")
    await _refer(unit, document_id, referred)
    return await _announced(unit, ids, vault, document_id, "created")


async def update_document(
    unit: Unit, ids: Ids, vault: Vault, document_id: str, changes: UpdateBlockDocument
) -> None:
    """Change a document; what the mask stands for stays as it is stored."""
    if await unit.one(_LOCK, document_id, unit.workspace) is None:
        raise NotFound(MISSING)
    row = await unit.one(_STORED, document_id, unit.workspace)
    if row is None:
        raise NotFound(MISSING)
    given = _given(changes)
    if given is not None:
        token, type_id, schema_id, fields = row
        secrets = secrets_of(object_of(fields, "fields"))
        if changes.block_schema_id is not None and str(changes.block_schema_id) != schema_id:
            schema_id = str(changes.block_schema_id)
            secrets += secrets_of(await _check_schema(unit, schema_id, type_id))
        stored = await vault.opened(unit, token)
        given = kept(given, stored, secrets)
        data, referred = separated({**stored, **given} if changes.merge_existing_data else given)
        closed = await vault.closed(unit, data)
        await unit.run(_UPDATE, closed, schema_id, unit.micros, document_id)
        await unit.run(_FORGET, document_id)
        await _refer(unit, document_id, referred)
    await _announced(unit, ids, vault, document_id, "updated")


def _given(changes: UpdateBlockDocument) -> Object | None:
    """What the data is to be, or, where it is merged, what is to be in it; None for no change."""
    raw = bytes(changes.data)
    if raw not in (b"", b"null"):
        return object_of(raw, "data")
    return None if changes.merge_existing_data else {}


async def delete_document(
    unit: Unit, ids: Ids, vault: Vault, document_id: str, deletions: Deletions
) -> None:
    """Delete a document; those that refer to it lose the member."""
    if await unit.one(_LOCK, document_id, unit.workspace) is None:
        raise NotFound(MISSING)
    with contextlib.suppress(KeyMissing):  # what nobody can read any more can still be deleted
        await _announced(unit, ids, vault, document_id, "deleted")
    await clear_storage_of(unit, "id", document_id)
    if await deletions.delete_below(unit, "block_document", [document_id]):
        await unit.run(_DELETE, document_id)
    else:
        await unit.run(_PUT_ASIDE, document_id)


async def _check_schema(unit: Unit, schema_id: str, type_id: str) -> Object:
    """The fields of a schema; NotFound without it, Refused (400) if it is another type's."""
    row = await unit.one(_SCHEMA, schema_id, unit.workspace)
    if row is None:
        raise NotFound(f"Block schema {schema_id} not found.")
    if row[0] != type_id:
        raise Refused(400, "The block schema of a document must belong to its block type.")
    return object_of(row[1], "fields")


async def _refer(unit: Unit, document_id: str, referred: Mapping[str, str]) -> None:
    """Keep references; Refused (400) where one leads back, Conflict where there is nothing."""
    if referred:  # two at once could each close one half of a circle
        await unit.one(_LOCK_REFERENCES)
    for name, other in referred.items():
        if other == document_id or await unit.one(_LEADS_TO, other, document_id) is not None:
            raise Refused(
                400,
                f"Cannot refer to block document {other} in key {name}: it would close a circle, "
                f"as that document refers to {document_id} itself.",
            )
        if await unit.one(_EXISTS, other, unit.workspace) is None:
            raise Conflict(
                f"Block document {other}, which is referred to in key {name}, does not exist."
            )
        await unit.run(_REFER, document_id, name, other, unit.workspace)


async def _announced(
    unit: Unit, ids: Ids, vault: Vault, document_id: str, verb: str
) -> BlockDocument:
    """Read a document without its secrets, and tell of it."""
    document = await read_document(unit, vault, document_id)
    data = msgspec.json.decode(document.data, type=dict[str, msgspec.Raw])
    texts = {name: _text(raw) for name, raw in data.items()}
    shown = {name: text for name, text in texts.items() if text is not None and text != MASK}
    announce_document(unit, ids, verb, document, shown)
    return document


def _text(raw: msgspec.Raw) -> str | None:
    return msgspec.json.decode(raw) if bytes(raw).startswith(b'"') else None
