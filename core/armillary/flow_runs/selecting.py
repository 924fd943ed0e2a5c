"""Which statement lists flow runs: chosen so that an index ends the search early.

* few runs named by id, flow, deployment or queue: these are found and sorted;
* tags: the side table of tags has the runs of each tag in order of time;
* states other than COMPLETED: one short list per state, merged;
* otherwise the index of the order itself, from its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from armillary.db.filters import Condition, any_of, every, json_list
from armillary.db.listing import Order, Shape, Span, by_state, inner, merged, outer
from armillary.db.unit import Reader, Row
from armillary.flow_runs.criteria import Selection
from armillary.flow_runs.reading import COLUMNS, JOINS, FlowRunResponse, flow_run_from_row

FlowRunSort: TypeAlias = Literal[
    "ID_DESC", "START_TIME_ASC", "START_TIME_DESC", "EXPECTED_START_TIME_ASC",
    "EXPECTED_START_TIME_DESC", "NAME_ASC", "NAME_DESC", "NEXT_SCHEDULED_START_TIME_ASC",
    "END_TIME_DESC",
]  # fmt: skip
_STARTED = "coalesce(r.start_time, r.expected_start_time)"
_EXPECTED = "r.expected_start_time"
_ORDERS: dict[str, Order] = {
    "ID_DESC": Order("r.id", descending=True),
    "START_TIME_ASC": Order(_STARTED, descending=False),
    "START_TIME_DESC": Order(_STARTED, descending=True),
    "EXPECTED_START_TIME_ASC": Order(_EXPECTED, descending=False),
    "EXPECTED_START_TIME_DESC": Order(_EXPECTED, descending=True),
    "NAME_ASC": Order("r.name", descending=False),
    "NAME_DESC": Order("r.name", descending=True),
    "NEXT_SCHEDULED_START_TIME_ASC": Order(
        "r.next_scheduled_start_time", descending=False, nulls_last=True
    ),
    "END_TIME_DESC": Order("r.end_time", descending=True, nulls_last=True),
}
_NOTABLE = (
    "SCHEDULED", "PENDING", "RUNNING", "FAILED", "CRASHED", "CANCELLED", "CANCELLING", "PAUSED",
)  # fmt: skip
IS_NOTABLE = "r.state_type in ({})".format(", ".join(f"'{each}'" for each in _NOTABLE))
"""The condition of the index ``flow_run_notable``, word for word: SQLite compares the texts."""

_SHAPE = Shape("flow_run", "r", COLUMNS, JOINS)
_MAX_TAGS = 8
_RARENESS = """
select wanted.value, (select count(*) from (select 1 from flow_run_tag ft
  where ft.workspace = ? and ft.tag = wanted.value limit 1000) found)
from {elements}(?{json}) wanted
"""


async def list_flow_runs(
    reader: Reader, selection: Selection, sort: FlowRunSort, span: Span, *, now: int
) -> list[FlowRunResponse]:
    """List flow runs; ``now`` is in microseconds."""
    rows = await select_flow_runs(reader, selection, sort, span, shape=_SHAPE)
    return [flow_run_from_row(row, now=now) for row in rows]


async def select_flow_runs(
    reader: Reader, selection: Selection, sort: FlowRunSort, span: Span, *, shape: Shape
) -> Sequence[Row]:
    """Select what ``shape`` shows of flow runs ``r``."""
    if span.limit == 0:
        return []
    ids = await ids_statement(reader, selection, sort, span)
    return await reader.all(outer(ids, shape, _ORDERS[sort]), *ids.args)


async def ids_statement(
    reader: Reader, selection: Selection, sort: FlowRunSort, span: Span
) -> Condition:
    """Choose the statement that finds the ids."""
    order = _ORDERS[sort]
    if selection.narrow:
        return inner(_SHAPE, selection.where(), order, span)
    if any(selection.tags):
        return await _with_tags(reader, selection, order, span)
    if selection.states and "COMPLETED" not in selection.states:
        return _notable(selection, order, span)
    if order.key == "r.id":
        return inner(
            _SHAPE, _not_from_workspace(selection.workspace, selection.condition), order, span
        )
    return inner(_SHAPE, selection.where(), order, span)


def _not_from_workspace(workspace: int, condition: Condition) -> Condition:
    """Keep the search from starting at the workspace, all of which it would then sort."""
    return every([Condition("{no_index}r.workspace = ?", (workspace,)), condition])


def _notable(selection: Selection, order: Order, span: Span) -> Condition:
    where = [selection.where(), Condition(IS_NOTABLE)]
    if selection.states and order.key == _EXPECTED:
        return by_state(_SHAPE, where, selection.states, order=order, span=span)
    return inner(_SHAPE, every(where), order, span)


async def _with_tags(reader: Reader, selection: Selection, order: Order, span: Span) -> Condition:
    tags = await _driving_tags(reader, selection)
    if order.key == _EXPECTED and len(tags) <= _MAX_TAGS:
        return _by_tags(selection, tags, order=order, span=span)
    return inner(_SHAPE, _tagged(selection, tags), order, span)


async def _driving_tags(reader: Reader, selection: Selection) -> list[str]:
    """Return tags of which every match has one: the rarest of those it has all of."""
    all_tags, any_tags = selection.tags
    return [await _rarest(reader, all_tags)] if all_tags else list(dict.fromkeys(any_tags))


def _tagged(selection: Selection, tags: list[str]) -> Condition:
    """Start from all runs with one of the tags."""
    one = every(any_of("ft.tag", tags))
    source = "select ft.flow_run_id from flow_run_tag ft where ft.workspace = ?"
    tagged = Condition(f"r.id in ({source} and {one.sql})", (selection.workspace, *one.args))
    return every([tagged, _not_from_workspace(selection.workspace, selection.rest)])


async def counting(reader: Reader, selection: Selection) -> Condition:
    """The whole condition, led to the index that has fewest rows, for numbers about all matches."""
    if selection.narrow:
        return selection.where()
    if any(selection.tags):
        return _tagged(selection, await _driving_tags(reader, selection))
    if selection.states and "COMPLETED" not in selection.states:
        return every([selection.where(), Condition(IS_NOTABLE)])
    return selection.where()


def _by_tag(selection: Selection, tag: str, *, order: Order, span: Span) -> Condition:
    """Let the side table of tags drive: it is in order of time."""
    return Condition(
        "select ft.flow_run_id as id, ft.expected_start_time as key"
        " from flow_run_tag ft cross join flow_run r"
        " where ft.workspace = ? and ft.tag = ? and r.id = ft.flow_run_id"
        f" and {{no_index}}r.workspace = ? and {selection.rest.sql}"
        f" order by {order.by('ft.expected_start_time', 'ft.flow_run_id')} limit ? offset ?",
        (
            selection.workspace,
            tag,
            selection.workspace,
            *selection.rest.args,
            span.limit,
            span.offset,
        ),
    )


def _by_tags(selection: Selection, tags: list[str], *, order: Order, span: Span) -> Condition:
    """Merge one short list per tag; a run with several of the tags is in it once."""
    if len(tags) == 1:
        return _by_tag(selection, tags[0], order=order, span=span)
    parts = [_by_tag(selection, tag, order=order, span=span.from_start) for tag in tags]
    return merged(parts, order, span, distinct=True)


async def _rarest(reader: Reader, tags: list[str]) -> str:
    if len(set(tags)) == 1:
        return tags[0]
    rows = await reader.all(_RARENESS, reader.workspace, json_list(tags))
    return min(rows, key=lambda row: row[1])[0]  # type: ignore[no-any-return]
