"""Routes of block types."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.errors import Refused
from armillary.paging import slice_of
from armillary_plugins.blocks.filters import BlockTypeFilter
from armillary_plugins.blocks.repository import types
from armillary_plugins.blocks.repository.system_types import (
    ensure_system_types,
    install_system_types,
)
from armillary_plugins.blocks.schemas import (
    BlockType,
    CreateBlockType,
    FilterBlockTypes,
    UpdateBlockType,
)

routes = Routes(tag="Block types")
_SEE, _MANAGE = "see_blocks", "manage_blocks"


@routes.post("/block_types/", scope=_MANAGE, answers={201: BlockType}, refuses=(409,))
async def create_block_type(call: Call, body: CreateBlockType) -> Answer:
    """Create a block type."""
    body.check()
    if body.name.lower().startswith("prefect"):
        raise Refused(403, "Block type names beginning with 'Prefect' are reserved.")
    await ensure_system_types(call)
    made = await call.write(lambda unit: types.create_type(unit, call.core.ids, body))
    return Answer.json(made, 201)


@routes.get("/block_types/{id:uuid}", scope=_SEE, answers={200: BlockType})
async def read_block_type(call: Call) -> Answer:
    """Read a block type."""
    await ensure_system_types(call)
    return Answer.json(await types.read_type(call.read(), call.path["id"]))


@routes.get("/block_types/slug/{slug}", scope=_SEE, answers={200: BlockType})
async def read_block_type_by_slug(call: Call) -> Answer:
    """Read a block type by its slug."""
    await ensure_system_types(call)
    return Answer.json(await types.read_type_by_slug(call.read(), call.path["slug"]))


@routes.patch("/block_types/{id:uuid}", scope=_MANAGE)
async def update_block_type(call: Call, body: UpdateBlockType) -> Answer:
    """Change what is said about a block type."""
    type_id, changes = call.path["id"], body.given()
    await call.write(lambda unit: types.update_type(unit, call.core.ids, type_id, changes))
    return Answer.empty()


@routes.delete("/block_types/{id:uuid}", scope=_MANAGE)
async def delete_block_type(call: Call) -> Answer:
    """Delete a block type with its schemas and documents."""
    core, type_id = call.core, call.path["id"]
    await call.write(lambda unit: types.delete_type(unit, core.ids, type_id, core.deletions))
    return Answer.empty()


@routes.post("/block_types/filter", scope=_SEE, answers={200: list[BlockType]})
async def filter_block_types(call: Call, body: FilterBlockTypes) -> Answer:
    """List block types by name."""
    span = slice_of(body.limit, body.offset)
    await ensure_system_types(call)
    condition = (body.block_types or BlockTypeFilter()).with_schema(body.block_schemas)
    return Answer.json(await types.list_types(call.read(), condition, span))


@routes.post("/block_types/install_system_block_types", scope=_MANAGE, answers={200: None})
async def install_block_types(call: Call) -> Answer:
    """Register the block types that are part of the SDK."""
    await call.write(lambda unit: install_system_types(unit, call.core.ids))
    return Answer.json(None)
