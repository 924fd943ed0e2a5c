"""Routes of block schemas, and of what blocks can do."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.db.filters import TRUE
from armillary.db.unit import Unit
from armillary.errors import NotFound
from armillary.paging import slice_of
from armillary_plugins.blocks.json_values import given_object
from armillary_plugins.blocks.repository import schemas
from armillary_plugins.blocks.repository.registering import NewSchema, register_schema
from armillary_plugins.blocks.repository.system_types import ensure_system_types
from armillary_plugins.blocks.repository.types import type_exists
from armillary_plugins.blocks.schemas import (
    BlockSchema,
    CreateBlockSchema,
    FilterBlockSchemas,
    OfVersion,
)

routes = Routes(tag="Block schemas")
_SEE, _MANAGE = "see_blocks", "manage_blocks"


@routes.post(
    "/block_schemas/",
    scope=_MANAGE,
    answers={201: BlockSchema, 200: BlockSchema},
    refuses=(404, 409),
)
async def create_block_schema(call: Call, body: CreateBlockSchema) -> Answer:
    """Create a block schema; one with the same checksum and version is answered as it is."""
    type_id = str(body.block_type_id)
    new = NewSchema(
        block_type_id=type_id,
        fields=given_object(body.fields, "fields"),
        capabilities=body.capabilities,
        version=body.version,
    )

    async def work(unit: Unit) -> tuple[BlockSchema, bool]:
        if not await type_exists(unit, type_id):
            raise NotFound(f"Block type {type_id} not found.")
        schema_id, created = await register_schema(unit, call.core.ids, new)
        return await schemas.read_schema(unit, schema_id), created

    made, created = await call.write(work)
    return Answer.json(made, 201 if created else 200)


@routes.get("/block_schemas/{id:uuid}", scope=_SEE, answers={200: BlockSchema})
async def read_block_schema(call: Call) -> Answer:
    """Read a block schema."""
    await ensure_system_types(call)
    return Answer.json(await schemas.read_schema(call.read(), call.path["id"]))


@routes.get("/block_schemas/checksum/{checksum}", scope=_SEE, answers={200: BlockSchema})
async def read_block_schema_by_checksum(call: Call, *, query: OfVersion) -> Answer:
    """Read a block schema by its checksum: of the version in the query, or the newest."""
    await ensure_system_types(call)
    found = await schemas.read_schema_by_checksum(call.read(), call.path["checksum"], query.version)
    return Answer.json(found)


@routes.delete("/block_schemas/{id:uuid}", scope=_MANAGE)
async def delete_block_schema(call: Call) -> Answer:
    """Delete a block schema with its documents."""
    core, schema_id = call.core, call.path["id"]
    await call.write(lambda unit: schemas.delete_schema(unit, schema_id, core.deletions))
    return Answer.empty()


@routes.post("/block_schemas/filter", scope=_SEE, answers={200: list[BlockSchema]})
async def filter_block_schemas(call: Call, body: FilterBlockSchemas) -> Answer:
    """List block schemas, the newest first."""
    span = slice_of(body.limit, body.offset)
    await ensure_system_types(call)
    condition = TRUE if body.block_schemas is None else body.block_schemas.on()
    return Answer.json(await schemas.list_schemas(call.read(), condition, span))


@routes.get("/block_capabilities/", scope=_SEE, answers={200: list[str]})
async def list_block_capabilities(call: Call) -> Answer:
    """List what blocks can do."""
    await ensure_system_types(call)
    return Answer.json(await schemas.list_capabilities(call.read()))
