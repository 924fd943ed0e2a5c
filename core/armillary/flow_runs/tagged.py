"""Lists and counts of flow runs that start from their tags.

The side table of tags has the runs of each tag in order of expected start, and repeats their
state and when they started, so that most of what is asked of a tag is answered by it alone.  Its
indexes have the runs of a tag in each type of state, in order of expected start and of start.
"""

from __future__ import annotations

import msgspec

from armillary.criteria import states_among
from armillary.db.filters import FALSE, TRUE, Condition, any_of, every, json_list
from armillary.db.listing import Order, Shape, Span, inner, merged
from armillary.db.unit import Reader
from armillary.flow_runs.criteria import Selection
from armillary.orchestration.states import StateType

EXPECTED = "r.expected_start_time"
STARTED = "coalesce(r.start_time, r.expected_start_time)"
_KEYS = {EXPECTED: "ft.expected_start_time", STARTED: "ft.started"}
"""The orders that the side table has too."""
_STATE = "ft.state_type"

_MAX_PARTS = 80
_RARENESS = """
select wanted.value, (select count(*) from (select 1 from flow_run_tag ft
  where ft.workspace = ? and ft.tag = wanted.value limit 1000) found)
from {elements}(?{json}) wanted
"""


_HAS_TOO = """exists (select 1 from flow_run_tag o where o.workspace = ft.workspace and o.tag = ?
  and o.expected_start_time = ft.expected_start_time and o.flow_run_id = ft.flow_run_id)"""


async def tagged_ids(
    reader: Reader, selection: Selection, shape: Shape, order: Order, span: Span
) -> Condition:
    """Choose the statement that finds the ids of runs with the tags."""
    tags, selection = await _driven(reader, selection)
    heads = _heads(selection, order)
    if order.key not in _KEYS or len(tags) * len(heads) > _MAX_PARTS:
        return inner(shape, _with_one_of(selection, tags), order, span)
    if len(tags) == len(heads) == 1:
        return _by_tag(selection, tags[0], heads[0], order=order, span=span)
    part = span.from_start
    parts = [
        _by_tag(selection, tag, head, order=order, span=part) for tag in tags for head in heads
    ]
    return merged(parts, order, span, distinct=len(tags) > 1)


def _heads(selection: Selection, order: Order) -> list[Condition]:
    """Return conditions one of which every match meets; with each an index has the order."""
    states = selection.states
    if states is None:
        if order.key != STARTED or selection.state_names:
            return [TRUE]
        return [
            Condition(f"{_STATE} is null"),
            *(states_among(_STATE, [each]) for each in StateType),
        ]
    return [states_among(_STATE, [each]) for each in sorted(set(states))] or [FALSE]


async def tagged(reader: Reader, selection: Selection) -> Condition:
    """Start from all runs with the tags, for numbers about all of them."""
    tags, selection = await _driven(reader, selection)
    return _with_one_of(selection, tags)


async def count_tagged(reader: Reader, selection: Selection) -> int:
    """Count the runs with the tags."""
    tags, selection = await _driven(reader, selection)
    if selection.beyond_tag == TRUE:
        one, what = (
            every(any_of("ft.tag", tags)),
            "*" if len(tags) == 1 else "distinct ft.flow_run_id",
        )
        source = f"select count({what}) from flow_run_tag ft where ft.workspace = ?"
        where = every([one, selection.on_tag])
        rows = await reader.all(f"{source} and {where.sql}", selection.workspace, *where.args)
    else:
        where = _with_one_of(selection, tags)
        rows = await reader.all(f"select count(*) from flow_run r where {where.sql}", *where.args)
    return int(rows[0][0])


async def _driven(reader: Reader, selection: Selection) -> tuple[list[str], Selection]:
    """Return tags of which every match has one: the rarest of those it has all of.

    The others of these become conditions on the rows of that one.
    """
    all_tags, any_tags = selection.tags
    if not all_tags:
        return list(dict.fromkeys(any_tags)), selection
    rarest = await _rarest(reader, all_tags)
    others = [Condition(_HAS_TOO, (tag,)) for tag in dict.fromkeys(all_tags) if tag != rarest]
    on_tag = every([selection.on_tag, *others])
    return [rarest], msgspec.structs.replace(selection, on_tag=on_tag)


def _with_one_of(selection: Selection, tags: list[str]) -> Condition:
    of_tag = every([*any_of("ft.tag", tags), selection.on_tag])
    source = "select ft.flow_run_id from flow_run_tag ft where ft.workspace = ?"
    found = Condition(
        f"r.id in ({source} and {of_tag.sql}) and {{no_index}}r.workspace = ?",
        (selection.workspace, *of_tag.args, selection.workspace),
    )
    return every([found, selection.beyond_tag])


def _by_tag(
    selection: Selection, tag: str, head: Condition, *, order: Order, span: Span
) -> Condition:
    """Let the side table of tags drive; the runs are joined where it does not say all."""
    key = _KEYS[order.key]
    joined = joins = Condition("")
    if selection.beyond_tag != TRUE:
        joins = Condition(" cross join flow_run r")
        joined = Condition(
            f" and r.id = ft.flow_run_id and {{no_index}}r.workspace = ?"
            f" and {selection.beyond_tag.sql}",
            (selection.workspace, *selection.beyond_tag.args),
        )
    return Condition(
        f"select ft.flow_run_id as id, {key} as key from flow_run_tag ft{joins.sql}"
        f" where ft.workspace = ? and ft.tag = ? and {head.sql}"
        f" and {selection.on_tag.sql}{joined.sql}"
        f" order by {order.by(key, 'ft.flow_run_id')} limit ? offset ?",
        (selection.workspace, tag, *selection.on_tag.args, *joined.args, span.limit, span.offset),
    )


async def _rarest(reader: Reader, tags: list[str]) -> str:
    if len(set(tags)) == 1:
        return tags[0]
    rows = await reader.all(_RARENESS, reader.workspace, json_list(tags))
    return min(rows, key=lambda row: row[1])[0]  # type: ignore[no-any-return]
