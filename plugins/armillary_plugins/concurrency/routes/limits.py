"""Routes of limits."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes, uuid_text
from armillary.concurrency import limits
from armillary.concurrency.limits import GlobalLimit, answered
from armillary.concurrency.slots import Limit
from armillary.errors import NotFound
from armillary.paging import slice_of
from armillary_plugins.concurrency import repository
from armillary_plugins.concurrency.schemas import (
    CreatedLimit,
    CreateLimit,
    ListLimits,
    UpdateLimit,
)

routes = Routes(tag="Concurrency limits")
_SEE = "see_concurrency_limits"
_MANAGE = "manage_concurrency_limits"
_ONE = "/v2/concurrency_limits/{id_or_name}"


@routes.post("/v2/concurrency_limits/", scope=_MANAGE, answers={201: CreatedLimit}, refuses=(409,))
async def create_limit(call: Call, body: CreateLimit) -> Answer:
    """Create a concurrency limit."""
    limit = await call.write(lambda unit: repository.create(unit, call.core.ids, body))
    return Answer.json(CreatedLimit.of(limit), 201)


@routes.post("/v2/concurrency_limits/filter", scope=_SEE, answers={200: list[GlobalLimit]})
async def list_limits(call: Call, body: ListLimits) -> Answer:
    """List concurrency limits by name."""
    part = slice_of(body.limit, body.offset)
    found = await limits.list_limits(call.read(), limit=part.limit, offset=part.offset)
    now = call.core.clock.micros()
    return Answer.json([answered(limit, now) for limit in found])


@routes.get(_ONE, scope=_SEE, answers={200: GlobalLimit})
async def get_limit(call: Call) -> Answer:
    """Read a concurrency limit by its id or its name."""
    return Answer.json(answered(await _found(call), call.core.clock.micros()))


@routes.patch(_ONE, scope=_MANAGE, refuses=(409,))
async def update_limit(call: Call, body: UpdateLimit) -> Answer:
    """Change a concurrency limit."""
    limit = await _found(call)
    await call.write(lambda unit: repository.update(unit, call.core.ids, limit.id, body))
    return Answer.empty()


@routes.delete(_ONE, scope=_MANAGE)
async def delete_limit(call: Call) -> Answer:
    """Delete a concurrency limit; deployments that had it have none then."""
    limit = await _found(call)
    await call.write(lambda unit: repository.delete(unit, call.core.ids, limit))
    return Answer.empty()


async def _found(call: Call) -> Limit:
    name = call.path["id_or_name"]
    try:
        limit_id: str | None = uuid_text(name)
    except NotFound:
        limit_id = None
    return await repository.find(call.read(), name, limit_id)
