"""Which statement lists flow runs: chosen so that an index ends the search early.

* deployments or flows named by id, in order of time: one short list for each, merged;
* few runs named by id or queue, or in another order: these are found and sorted;
* names of states that few runs have: the same;
* tags: the side table of tags has the runs of each tag in order of time, with their states;
* states, by type or name, in order of time: one short list per state, merged;
* states in another order: if they have few runs these are found and sorted;
* otherwise the index of the order itself, from its end.

An order of time is that of expected starts or of starts.  A list by start of what was expected in a
window is two: of those that started about then, and of the few others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from armillary.criteria import states_among
from armillary.db.filters import Condition, any_of, every
from armillary.db.listing import Order, Shape, Span, by_value, inner, merged, only, outer
from armillary.db.unit import Reader, Row
from armillary.flow_runs.criteria import Selection
from armillary.flow_runs.punctual import displaced, punctual
from armillary.flow_runs.reading import COLUMNS, JOINS, FlowRunResponse, flow_run_from_row
from armillary.flow_runs.tagged import EXPECTED, STARTED, tagged, tagged_ids

FlowRunSort: TypeAlias = Literal[
    "ID_DESC", "START_TIME_ASC", "START_TIME_DESC", "EXPECTED_START_TIME_ASC",
    "EXPECTED_START_TIME_DESC", "NAME_ASC", "NAME_DESC", "NEXT_SCHEDULED_START_TIME_ASC",
    "END_TIME_DESC",
]  # fmt: skip
_ORDERS: dict[str, Order] = {
    "ID_DESC": Order("r.id", descending=True),
    "START_TIME_ASC": Order(STARTED, descending=False),
    "START_TIME_DESC": Order(STARTED, descending=True),
    "EXPECTED_START_TIME_ASC": Order(EXPECTED, descending=False),
    "EXPECTED_START_TIME_DESC": Order(EXPECTED, descending=True),
    "NAME_ASC": Order("r.name", descending=False),
    "NAME_DESC": Order("r.name", descending=True),
    "NEXT_SCHEDULED_START_TIME_ASC": Order(
        "r.next_scheduled_start_time", descending=False, nulls_last=True
    ),
    "END_TIME_DESC": Order("r.end_time", descending=True, nulls_last=True),
}
_SHAPE = Shape("flow_run", "r", COLUMNS, JOINS)
_FEW = 5000
"""As many runs are sooner found and sorted than come upon in an order."""
_TIMES = (EXPECTED, STARTED)
"""The orders that continue the indexes of states, deployments and flows."""
_MAX_HEADS = 64
_NAME_INDEXED = 100
_NAME = f"substr({{alias}}.state_name, 1, {_NAME_INDEXED})"
"""As much of a name as the index ``flow_run_state_name`` has, word for word."""


async def list_flow_runs(
    reader: Reader, selection: Selection, sort: FlowRunSort, span: Span, *, now: int
) -> list[FlowRunResponse]:
    """List flow runs; ``now`` is in microseconds."""
    rows = await select_flow_runs(reader, selection, sort, span)
    return [flow_run_from_row(row, now=now) for row in rows]


async def select_flow_runs(
    reader: Reader, selection: Selection, sort: FlowRunSort, span: Span, *, shape: Shape = _SHAPE
) -> Sequence[Row]:
    """Select what ``shape`` shows of flow runs ``r``: by default all that is answered of one."""
    if span.limit == 0:
        return []
    ids = await ids_statement(reader, selection, sort, span)
    return await reader.all(outer(ids, shape, _ORDERS[sort]), *ids.args)


async def ids_statement(
    reader: Reader, selection: Selection, sort: FlowRunSort, span: Span
) -> Condition:
    """Choose the statement that finds the ids."""
    order = _ORDERS[sort]
    found_first = selection.narrow and not selection.owners
    if order.key != STARTED or selection.expected is None or found_first:
        return await _ids(reader, selection, order, span)
    part = span.from_start
    on_time = await _ids(reader, punctual(selection, selection.expected), order, part)
    others = inner(_SHAPE, displaced(selection), _sorted(order), part)
    return merged([on_time, others], order, span)


def _sorted(order: Order) -> Order:
    """Ask for an order that no index has: a planner may think that most rows are displaced."""
    return msgspec.structs.replace(order, key=f"{order.key} + 0")


async def _ids(reader: Reader, selection: Selection, order: Order, span: Span) -> Condition:
    if selection.narrow:
        owners = selection.owners
        if order.key in _TIMES and 0 < len(owners) <= _MAX_HEADS:
            walking = selection.walking(by_workspace=False)
            return by_value(_SHAPE, walking, owners, order=order, span=span)
        return inner(_SHAPE, selection.where(), order, span)
    if any(selection.tags):
        if selection.state_names and await _are_few(reader, selection):
            return _few(selection, order, span)
        return await tagged_ids(reader, selection, _SHAPE, order, span)
    if selection.states or selection.state_names:
        return await _of_states(reader, selection, order, span)
    return inner(_SHAPE, selection.walking(by_workspace=order.key != "r.id"), order, span)


async def _of_states(reader: Reader, selection: Selection, order: Order, span: Span) -> Condition:
    if order.key in _TIMES and len(_values(selection)[1]) <= _MAX_HEADS:
        return _walks(selection, order, span)
    if await _are_few(reader, selection):
        return _few(selection, order, span)
    walking = selection.walking(by_workspace=True)
    if order.key != "r.id":
        return inner(_SHAPE, walking, order, span)
    return inner(_SHAPE, every([walking, _in_states(selection, "r")]), order, span)


def _walks(selection: Selection, order: Order, span: Span) -> Condition:
    """Merge one list for each state.

    A bound of the order ends a walk only beside an equal value; without one the value leads.
    """
    column, values = _values(selection)
    if selection.bounded:
        heads = [Condition(f"{column} = ?", (value,)) for value in values]
        walking = selection.walking(by_workspace=True)
    else:
        heads = [only(column, value) for value in values]
        rest = selection if selection.state_names else selection.without_types()
        walking = rest.walking(by_workspace=True)
        order = msgspec.structs.replace(order, leading=column)
    return by_value(_SHAPE, walking, heads, order=order, span=span)


def _few(selection: Selection, order: Order, span: Span) -> Condition:
    found = _in_states(selection, "h")
    source = f"select h.id from flow_run h where h.workspace = ? and {found.sql}"
    few = Condition(f"r.id in ({source})", (selection.workspace, *found.args))
    return inner(_SHAPE, every([few, selection.walking(by_workspace=False)]), order, span)


def _values(selection: Selection) -> tuple[str, list[str]]:
    """Return what heads an index by time, and the values one of which every match has there."""
    if selection.state_names:
        return _NAME.format(alias="r"), _names(selection.state_names)
    return "r.state_type", sorted(set(selection.states or ()))


def _in_states(selection: Selection, alias: str) -> Condition:
    """Lead to the index of states, by one of its columns."""
    if selection.state_names:
        return every(any_of(_NAME.format(alias=alias), _names(selection.state_names)))
    return states_among(f"{alias}.state_type", selection.states or ())


def _names(names: Sequence[str]) -> list[str]:
    return sorted({name[:_NAME_INDEXED] for name in names})


async def _are_few(reader: Reader, selection: Selection) -> bool:
    found = _in_states(selection, "h")
    rows = await reader.all(
        "select count(*) from (select 1 from flow_run h"
        f" where h.workspace = ? and {found.sql} limit {_FEW}) found",
        selection.workspace,
        *found.args,
    )
    return bool(rows[0][0] < _FEW)


async def counting(reader: Reader, selection: Selection) -> Condition:
    """The whole condition, led to the index that has fewest rows, for numbers about all matches."""
    if any(selection.tags) and not selection.narrow:
        return await tagged(reader, selection)
    if selection.state_names and not selection.narrow:
        return every([selection.walking(by_workspace=True), _in_states(selection, "r")])
    return selection.where()
