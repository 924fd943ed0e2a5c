"""Lists of flow runs, cut by keyset, and how many there are in each state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from armillary.db.filters import Condition, every
from armillary.db.listing import Order, Shape, Span, outer
from armillary.db.unit import Reader
from armillary.flow_runs.criteria import Selection
from armillary.flow_runs.selecting import ids_statement
from armillary_plugins.ui.schemas import RunRow
from armillary_plugins.ui.shaping import run_row

CAP = 1000
"""Runs counted of a kind; beyond there are only said to be more."""

_SHAPE = Shape(
    "flow_run",
    "r",
    "r.id, r.name, r.state_type, r.state_name, r.flow_id, f.name, r.deployment_id, d.name,"
    " r.expected_start_time, r.start_time, r.state_timestamp, r.total_run_time, r.tags, s.message",
    "left join flow f on f.id = r.flow_id"
    " left join deployment d on d.id = r.deployment_id and d.workspace = r.workspace"
    " left join flow_run_state s on s.id = r.state_id",
)
_KEY = "r.expected_start_time"
_ANY = "select 1 from flow_run where workspace = ? limit 1"


class Place(msgspec.Struct, frozen=True):
    """Where in the list a page is cut: the run there, not included."""

    expected: int
    id: str


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive runs, newest first."""

    rows: tuple[RunRow, ...]
    first: Place | None
    last: Place | None
    more: bool
    """There are further runs in the direction that was looked in."""


async def list_runs(  # noqa: PLR0913 - which runs, from where, how many
    reader: Reader,
    selection: Selection,
    *,
    limit: int,
    now: int,
    before: Place | None = None,
    after: Place | None = None,
) -> Slice:
    """List runs by expected start: the newest, those before a place, or those right after one."""
    cut = selection
    if before is not None:
        cut = _cut(selection, before, "<")
    elif after is not None:
        cut = _cut(selection, after, ">")
    upwards = after is not None and before is None
    sort = "EXPECTED_START_TIME_ASC" if upwards else "EXPECTED_START_TIME_DESC"
    ids = await ids_statement(reader, cut, sort, Span(limit + 1))  # type: ignore[arg-type]
    rows = await reader.all(outer(ids, _SHAPE, Order(_KEY, descending=not upwards)), *ids.args)
    found = rows[:limit]
    ordered = list(reversed(found)) if upwards else list(found)
    places = [Place(row[8] or 0, row[0]) for row in (ordered[:1] + ordered[-1:])]
    return Slice(
        rows=tuple(run_row(row, now=now) for row in ordered),
        first=places[0] if places else None,
        last=places[-1] if places else None,
        more=len(rows) > limit,
    )


def _cut(selection: Selection, place: Place, sign: str) -> Selection:
    args = (place.expected, place.expected, place.id)
    sql = f"{{key}} {sign}= ? and ({{key}}, {{id}}) {sign} (?, ?)"
    return selection.cut(
        Condition(sql.format(key=_KEY, id="r.id"), args),
        Condition(sql.format(key="ft.expected_start_time", id="ft.flow_run_id"), args),
    )


async def count_by_state(reader: Reader, selections: Mapping[str, Selection]) -> dict[str, int]:
    """Count what each selection finds, in one statement; more than :data:`CAP` is CAP + 1.

    A name that is a type of states counts the runs of that type.
    """
    parts: list[str] = []
    arguments: list[object] = []
    for name, selection in selections.items():
        conditions = [selection.where()]
        if name.isupper():
            conditions.append(Condition(f"r.state_type = '{name}'"))
        where = every(conditions)
        parts.append(
            f"select '{name}' as name, (select count(*) from"
            f" (select 1 from flow_run r where {where.sql} limit {CAP + 1}) found) as total"
        )
        arguments.extend(where.args)
    rows = await reader.all(" union all ".join(parts), *arguments)
    return {row[0]: row[1] for row in rows}


async def any_runs(reader: Reader) -> bool:
    """Tell whether the workspace has any run at all."""
    return await reader.one(_ANY, reader.workspace) is not None


async def names_of(reader: Reader, table: str, ids: Sequence[str]) -> dict[str, str]:
    """Return the names of flows or deployments."""
    rows = await reader.all(_NAMES[table], reader.workspace, msgspec.json.encode(ids).decode())
    return {row[0]: row[1] for row in rows}


_NAMES = {
    table: f"select id, name from {table} where workspace = ? and id {{in_list}}"
    for table in ("flow", "deployment", "task_run", "work_pool", "work_queue")
}
