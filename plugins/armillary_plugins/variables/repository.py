"""Every query on variables."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import Condition, every, json_list
from armillary.db.listing import Order, Shape, Span, counted, listed
from armillary.db.unit import Reader, Row, Unit
from armillary.errors import Conflict, NotFound
from armillary.ids import Ids
from armillary_plugins.variables.events import announce
from armillary_plugins.variables.schemas import (
    CreateVariable,
    UpdateVariable,
    Variable,
    VariableSort,
    checked_name,
    checked_value,
    is_name,
)

_COLUMNS = "v.id, v.created, v.updated, v.name, v.value, v.tags"
_FROM = f"select {_COLUMNS} from variable v where v.workspace = ?"
_BY_ID = f"{_FROM} and v.id = ?"
_BY_NAME = f"{_FROM} and v.name = ?"
_VALUES = "select name, value from variable where workspace = ? and name {in_list}"
_INSERT = """
insert into variable (id, workspace, created, updated, name, value, tags)
values (?, ?, ?, ?, ?, ?, ?) on conflict (workspace, name) do nothing
"""
_UPDATE = """
update variable set updated = ?, name = ?, value = ?, tags = ? where id = ? and workspace = ?
"""
_DELETE = "delete from variable where id = ? and workspace = ?"
_SHAPE = Shape("variable", "v", _COLUMNS)
_ORDERS: dict[str, Order] = {
    "CREATED_DESC": Order("v.created", descending=True),
    "UPDATED_DESC": Order("v.updated", descending=True),
    "NAME_DESC": Order("v.name", descending=True),
    "NAME_ASC": Order("v.name", descending=False),
}
_tags = msgspec.json.Decoder(list[str]).decode


async def read(
    reader: Reader, *, variable_id: str | None = None, name: str = "", lock: bool = False
) -> Variable:
    """Read a variable by its id, or else by its name; NotFound without it."""
    place = (_BY_NAME, name) if variable_id is None else (_BY_ID, variable_id)
    sql = f"{place[0]} {{for_update}}" if lock else place[0]
    row = await reader.one(sql, reader.workspace, place[1])
    if row is None:
        raise NotFound("Variable not found.")
    return _variable(row)


async def read_values(reader: Reader, names: Collection[str]) -> dict[str, msgspec.Raw]:
    """Read the values of those of the names that are there."""
    possible = json_list(sorted(filter(is_name, names)))
    rows = await reader.all(_VALUES, reader.workspace, possible)
    return {row[0]: msgspec.Raw(row[1].encode()) for row in rows}


async def list_variables(
    reader: Reader, condition: Condition, sort: VariableSort, span: Span
) -> list[Variable]:
    """List the variables ``v`` that meet a condition."""
    rows = await listed(reader, _SHAPE, _in_workspace(reader, condition), _ORDERS[sort], span)
    return [_variable(row) for row in rows]


async def count_variables(reader: Reader, condition: Condition) -> int:
    """Count the variables ``v`` that meet a condition."""
    return await counted(reader, _SHAPE, _in_workspace(reader, condition))


async def create(unit: Unit, ids: Ids, new: CreateVariable) -> Variable:
    """Create a variable; Conflict if its name is taken, Invalid if it cannot be one."""
    variable = Variable(
        id=ids.uuid4(),
        created=unit.now,
        updated=unit.now,
        name=checked_name(new.name),
        value=checked_value(new.value),
        tags=new.tags,
    )
    inserted = await unit.run(
        _INSERT, variable.id, unit.workspace, unit.micros, unit.micros, *_stored(variable)
    )
    if not inserted:
        raise _taken(variable.name)
    announce(unit, ids, "created", variable)
    return variable


async def update(unit: Unit, ids: Ids, before: Variable, changes: UpdateVariable) -> None:
    """Change a variable; Conflict if the name it is to have is taken."""
    after = msgspec.structs.replace(
        before,
        updated=unit.now,
        name=before.name if changes.name is None else checked_name(changes.name),
        value=checked_value(changes.value) if bytes(changes.value) else before.value,
        tags=before.tags if changes.tags is None else changes.tags,
    )
    if after.name != before.name and await unit.one(_BY_NAME, unit.workspace, after.name):
        raise _taken(after.name)
    await unit.run(_UPDATE, unit.micros, *_stored(after), after.id, unit.workspace)
    announce(unit, ids, "updated", after)


async def delete(unit: Unit, ids: Ids, variable: Variable) -> None:
    """Delete a variable."""
    await unit.run(_DELETE, variable.id, unit.workspace)
    announce(unit, ids, "deleted", variable)


def _taken(name: str) -> Conflict:
    return Conflict(f"A variable with the name {name!r} already exists.")


def _stored(variable: Variable) -> tuple[str, str, str]:
    tags = msgspec.json.encode(variable.tags).decode()
    return variable.name, bytes(variable.value).decode(), tags


def _variable(row: Row) -> Variable:
    return Variable(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        value=msgspec.Raw(row[4].encode()),
        tags=_tags(row[5]),
    )


def _in_workspace(reader: Reader, condition: Condition) -> Condition:
    return every([Condition("v.workspace = ?", (reader.workspace,)), condition])
