"""Block documents, the catalogue of block types, and the form of a new block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from armillary.api import Call
from armillary.clock import from_micros
from armillary.db.filters import Condition
from armillary.db.listing import Span
from armillary.db.unit import Row
from armillary.errors import Conflict, Invalid, NotFound
from armillary.forms import Form
from armillary_plugins.blocks.block_form import BlockTexts, fields_of, filled
from armillary_plugins.blocks.page_schemas import (
    BlockDetail,
    BlockPage,
    BlockRow,
    CataloguePage,
    TypeChoice,
    TypeRow,
)
from armillary_plugins.blocks.repository import documents, keeping, schemas, showing
from armillary_plugins.blocks.repository.system_types import ensure_system_types
from armillary_plugins.blocks.repository.types import read_type_by_slug
from armillary_plugins.blocks.repository.vault import vault_of
from armillary_plugins.blocks.schemas import BlockSchema, BlockType, CreateBlockDocument
from armillary_web.named_list import NamedList, id_and_name_of
from armillary_web.named_query import NamedQuery, holds
from armillary_web.pages import (
    Action,
    ListPage,
    Page,
    Pages,
    Question,
    Sent,
)
from armillary_web.shell import NavItem

_LIST, _ONE, _CATALOGUE = "/blocks", "/blocks/block", "/blocks/catalog"
_SEE, _MANAGE = "see_blocks", "manage_blocks"
_CHOICES = 500


async def _list(call: Call, query: NamedQuery, count: int) -> Sequence[Row]:
    return await showing.list_shown(
        call.read(),
        holds(query.name),
        query.type,
        limit=count,
        place=query.place,
        backwards=query.backwards,
    )


async def _choices(call: Call, query: NamedQuery) -> Mapping[str, Any]:
    types = await showing.list_catalogue(
        call.read(), holds(""), limit=_CHOICES, place=("", ""), backwards=False
    )
    return {"type": query.type, "types": tuple(TypeChoice(each.slug, each.name) for each in types)}


_BLOCKS = NamedList(
    base=_LIST,
    find=_list,
    shape=lambda _, row: BlockRow.of(row),
    page=BlockPage,
    twin=BlockRow,
    place=id_and_name_of,
    more=_choices,
)


async def _types(call: Call, query: NamedQuery, count: int) -> list[BlockType]:
    await ensure_system_types(call)
    return await showing.list_catalogue(
        call.read(),
        holds(query.name),
        limit=count,
        place=query.place,
        backwards=query.backwards,
    )


_TYPES = NamedList(
    base=_CATALOGUE,
    find=_types,
    shape=lambda _, kind: TypeRow.of(kind),
    page=CataloguePage,
    twin=TypeRow,
    place=id_and_name_of,
)


async def _detail(call: Call) -> BlockDetail:
    document_id = call.path["id"]
    found = await documents.read_document(call.read(), vault_of(call.core), document_id)
    return BlockDetail.of(found)


async def _read_one(call: Call) -> Mapping[str, Any]:
    return {"block": await _detail(call), "now": from_micros(call.received)}


async def _delete(call: Call, _: Form) -> str:
    core, document_id = call.core, call.path["id"]
    await call.write(
        lambda unit: keeping.delete_document(
            unit, core.ids, vault_of(core), document_id, core.deletions
        )
    )
    return _LIST


async def _ask(call: Call) -> Question:
    block = await _detail(call)
    here = f"{_ONE}/{block.id}"
    return Question(
        title=f"Delete {block.title}?",
        consequence="What it holds is gone for good; flows that load it fail then.",
        word="Delete",
        action_path=f"{here}/delete",
        back_path=here,
    )


async def _type(call: Call) -> tuple[BlockType, BlockSchema | None]:
    """Read the type a path names, and its newest schema."""
    await ensure_system_types(call)
    found = await read_type_by_slug(call.read(), call.path["slug"])
    newest = await schemas.list_schemas(
        call.read(), Condition("s.block_type_id = ?", (found.id,)), Span(1)
    )
    return found, newest[0] if newest else None


async def _read_type(call: Call) -> Mapping[str, Any]:
    found, schema = await _type(call)
    fields = () if schema is None else fields_of(schema)
    return {"type": TypeRow.of(found), "fields": fields, "can_be_made": schema is not None}


async def _read_new(call: Call) -> Mapping[str, Any]:
    found, schema = await _type(call)
    if schema is None:
        raise NotFound(f"No block of the type {found.name} can be made: it has no schema yet.")
    return {"type": TypeRow.of(found), "texts": BlockTexts(fields=fields_of(schema))}


async def _submit_new(call: Call, form: Form) -> Sent:
    found, schema = await _type(call)
    if schema is None:
        raise NotFound(f"No block of the type {found.name} can be made: it has no schema yet.")
    texts, data = filled(BlockTexts(fields=fields_of(schema)), form)
    if not texts.problems:
        body = CreateBlockDocument(
            block_schema_id=UUID(schema.id),
            block_type_id=UUID(found.id),
            name=texts.name,
            data=msgspec.Raw(msgspec.json.encode(data)),
        )
        core = call.core
        try:
            body.check()
            made = await call.write(
                lambda unit: keeping.create_document(unit, core.ids, vault_of(core), body)
            )
        except (Conflict, Invalid) as error:
            texts = msgspec.structs.replace(texts, name_problem=str(error))
        else:
            return Sent(location=f"{_ONE}/{made.id}")
    return Sent(context={"type": TypeRow.of(found), "texts": texts}, wrong=True)


PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    nav=(NavItem(path=_LIST, text="Blocks", icon="box", aside=True, hotkey="g b"),),
    lists=(
        ListPage(
            path=_LIST,
            scope=_SEE,
            template="blocks/blocks",
            read=_BLOCKS.read,
            twin=_BLOCKS.read_twin,
        ),
        ListPage(
            path=_CATALOGUE,
            scope=_SEE,
            template="blocks/catalogue",
            read=_TYPES.read,
            twin=_TYPES.read_twin,
            section=_LIST,
        ),
    ),
    pages=(
        Page(
            path=f"{_ONE}/{{id:uuid}}",
            scope=_SEE,
            template="blocks/block.html",
            read=_read_one,
            section=_LIST,
        ),
        Page(
            path=f"{_CATALOGUE}/{{slug}}",
            scope=_SEE,
            template="blocks/type.html",
            read=_read_type,
            section=_LIST,
        ),
        Page(
            path=f"{_CATALOGUE}/{{slug}}/create",
            scope=_MANAGE,
            template="blocks/block_form.html",
            read=_read_new,
            submit=_submit_new,
            section=_LIST,
        ),
    ),
    actions=(
        Action(
            path=f"{_ONE}/{{id:uuid}}/delete",
            scope=_MANAGE,
            act=_delete,
            ask=_ask,
            section=_LIST,
        ),
    ),
)
