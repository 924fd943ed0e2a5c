"""Routes of variables."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.db.unit import Unit
from armillary.paging import slice_of
from armillary_plugins.variables import repository
from armillary_plugins.variables.schemas import (
    CountVariables,
    CreateVariable,
    FilterVariables,
    UpdateVariable,
    Variable,
)

routes = Routes(tag="Variables")
_ID = "/variables/{id:uuid}"
_NAME = "/variables/name/{name}"


@routes.post("/variables/", scope="write_variables", answers={201: Variable}, refuses=(409,))
async def create_variable(call: Call, body: CreateVariable) -> Answer:
    """Create a variable under a name that is free."""
    made = await call.write(lambda unit: repository.create(unit, call.core.ids, body))
    return Answer.json(made, 201)


@routes.get(_ID, scope="see_variables", answers={200: Variable})
async def get_variable(call: Call) -> Answer:
    """Read a variable."""
    return Answer.json(await repository.read(call.read(), variable_id=call.path["id"]))


@routes.get(_NAME, scope="see_variables", answers={200: Variable})
async def get_variable_by_name(call: Call) -> Answer:
    """Read a variable by its name."""
    return Answer.json(await repository.read(call.read(), name=call.path["name"]))


@routes.post("/variables/filter", scope="see_variables", answers={200: list[Variable]})
async def filter_variables(call: Call, body: FilterVariables) -> Answer:
    """List variables."""
    span = slice_of(body.limit, body.offset)
    condition = body.condition()
    return Answer.json(await repository.list_variables(call.read(), condition, body.sort, span))


@routes.post("/variables/count", scope="see_variables", answers={200: int})
async def count(call: Call, body: CountVariables) -> Answer:
    """Count variables."""
    return Answer.json(await repository.count_variables(call.read(), body.condition()))


@routes.patch(_ID, scope="write_variables", refuses=(409,))
async def update_variable(call: Call, body: UpdateVariable) -> Answer:
    """Change what is given of a variable."""
    return await _update(call, body, variable_id=call.path["id"])


@routes.patch(_NAME, scope="write_variables", refuses=(409,))
async def update_variable_by_name(call: Call, body: UpdateVariable) -> Answer:
    """Change what is given of a variable, found by its name."""
    return await _update(call, body, name=call.path["name"])


async def _update(
    call: Call, body: UpdateVariable, *, variable_id: str | None = None, name: str = ""
) -> Answer:
    async def work(unit: Unit) -> None:
        before = await repository.read(unit, variable_id=variable_id, name=name, lock=True)
        await repository.update(unit, call.core.ids, before, body)

    await call.write(work)
    return Answer.empty()


@routes.delete(_ID, scope="manage_variables")
async def delete_variable(call: Call) -> Answer:
    """Delete a variable."""
    return await _delete(call, variable_id=call.path["id"])


@routes.delete(_NAME, scope="manage_variables")
async def delete_variable_by_name(call: Call) -> Answer:
    """Delete a variable, found by its name."""
    return await _delete(call, name=call.path["name"])


async def _delete(call: Call, *, variable_id: str | None = None, name: str = "") -> Answer:
    async def work(unit: Unit) -> None:
        variable = await repository.read(unit, variable_id=variable_id, name=name, lock=True)
        await repository.delete(unit, call.core.ids, variable)

    await call.write(work)
    return Answer.empty()
