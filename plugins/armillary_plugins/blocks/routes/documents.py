"""Routes of block documents."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.db.listing import Span
from armillary.paging import slice_of
from armillary_plugins.blocks.filters import Filters
from armillary_plugins.blocks.repository import documents, keeping
from armillary_plugins.blocks.repository.system_types import ensure_system_types
from armillary_plugins.blocks.repository.types import read_type_by_slug
from armillary_plugins.blocks.repository.vault import vault_of
from armillary_plugins.blocks.schemas import (
    BlockDocument,
    CreateBlockDocument,
    FilterBlockDocuments,
    Secrets,
    UpdateBlockDocument,
)

routes = Routes(tag="Block documents")
_SEE, _SECRETS, _MANAGE = "see_blocks", "see_secret_blocks", "manage_blocks"


@routes.post("/block_documents/", scope=_MANAGE, answers={201: BlockDocument}, refuses=(404, 409))
async def create_block_document(call: Call, body: CreateBlockDocument) -> Answer:
    """Create a block document; a mask stands for its secrets in the answer."""
    body.check()
    core = call.core
    made = await call.write(
        lambda unit: keeping.create_document(unit, core.ids, vault_of(core), body)
    )
    return Answer.json(made, 201)


@routes.get("/block_documents/{id:uuid}", scope=_SEE, answers={200: BlockDocument})
async def read_block_document(call: Call, *, query: Secrets) -> Answer:
    """Read a block document; with `include_secrets` as it is, else with a mask for secrets."""
    found = await documents.read_document(
        call.read(), vault_of(call.core), call.path["id"], secrets=_with_secrets(call, query)
    )
    return Answer.json(found)


@routes.patch("/block_documents/{id:uuid}", scope=_MANAGE, refuses=(409,))
async def update_block_document(call: Call, body: UpdateBlockDocument) -> Answer:
    """Change what a block document holds."""
    core, document_id = call.core, call.path["id"]
    await call.write(
        lambda unit: keeping.update_document(unit, core.ids, vault_of(core), document_id, body)
    )
    return Answer.empty()


@routes.delete("/block_documents/{id:uuid}", scope=_MANAGE)
async def delete_block_document(call: Call) -> Answer:
    """Delete a block document."""
    core, document_id = call.core, call.path["id"]
    await call.write(
        lambda unit: keeping.delete_document(
            unit, core.ids, vault_of(core), document_id, core.deletions
        )
    )
    return Answer.empty()


@routes.post("/block_documents/filter", scope=_SEE, answers={200: list[BlockDocument]})
async def filter_block_documents(call: Call, body: FilterBlockDocuments) -> Answer:
    """List block documents; anonymous ones only where they are asked for."""
    span = slice_of(body.limit, body.offset)
    if body.include_secrets:
        call.actor.require(_SECRETS)
    found = await documents.list_documents(
        call.read(),
        vault_of(call.core),
        body.condition(),
        sort=body.sort,
        span=span,
        secrets=body.include_secrets,
    )
    return Answer.json(found)


@routes.post("/block_documents/count", scope=_SEE, answers={200: int})
async def count_block_documents(call: Call, body: Filters) -> Answer:
    """Count block documents."""
    return Answer.json(await documents.count_documents(call.read(), body.condition()))


@routes.get(
    "/block_types/slug/{slug}/block_documents", scope=_SEE, answers={200: list[BlockDocument]}
)
async def read_block_documents_of_type(call: Call, *, query: Secrets) -> Answer:
    """List the block documents of a type by name."""
    await ensure_system_types(call)
    reader, secrets = call.read(), _with_secrets(call, query)
    block_type = await read_type_by_slug(reader, call.path["slug"])
    found = await documents.list_documents(
        reader,
        vault_of(call.core),
        documents.of_type(block_type.id),
        sort="NAME_ASC",
        span=Span(documents.ALL),
        secrets=secrets,
    )
    return Answer.json(found)


@routes.get(
    "/block_types/slug/{slug}/block_documents/name/{block_document_name}",
    scope=_SEE,
    answers={200: BlockDocument},
)
async def read_block_document_by_name(call: Call, *, query: Secrets) -> Answer:
    """Read a block document of a type by its name."""
    found = await documents.read_document_by_name(
        call.read(),
        vault_of(call.core),
        call.path["slug"],
        call.path["block_document_name"],
        secrets=_with_secrets(call, query),
    )
    return Answer.json(found)


def _with_secrets(call: Call, query: Secrets) -> bool:
    """Whether secrets are asked for; Refused (403) unless the caller may see them."""
    if query.include_secrets:
        call.actor.require(_SECRETS)
    return query.include_secrets
