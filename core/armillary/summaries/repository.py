"""Every query of the summaries: each is bounded by what it names, by time, or by a limit."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.clock import from_micros
from armillary.db.filters import Condition, json_list
from armillary.db.listing import Shape, Span
from armillary.db.unit import Reader, Row
from armillary.flow_runs.criteria import Selection
from armillary.flow_runs.reading import estimated_run_time, lateness
from armillary.flow_runs.selecting import FlowRunSort, select_flow_runs
from armillary.summaries.schemas import (
    BUCKETS,
    CountByState,
    SimpleFlowRun,
    SimpleNextFlowRun,
    TaskRunCount,
    Window,
)
from armillary.task_runs.criteria import TaskRunSelection

MOST_COUNTED = 1_000_000
"""Task runs counted by state at most; nobody can see a difference beyond."""

_POINTS = Shape(
    "flow_run",
    "r",
    "r.id, r.state_type, r.start_time, r.expected_start_time, r.total_run_time, r.state_timestamp",
)
_TASK_RUNS = """
select t.flow_run_id, count(*) from task_run t
where t.flow_run_id {in_list} and {no_index}t.workspace = ?
  and not exists (select 1 from flow_run s where s.parent_task_run_id = t.id)
group by t.flow_run_id
"""
_DEPLOYMENTS = """
select flow_id, count(*) from deployment
where flow_id {in_list} and {no_index}workspace = ? group by flow_id
"""
_SHOWN = "n.flow_id, n.id, n.name, n.state_name, n.next_scheduled_start_time"
_NEXT_OF_DEPLOYMENTS = f"""
select {_SHOWN} from deployment d join flow_run n on n.id = (
  select r.id from flow_run r where r.deployment_id = d.id and r.state_type = 'SCHEDULED'
  order by r.next_scheduled_start_time limit 1)
where d.flow_id {{in_list}} and {{no_index}}d.workspace = ?
"""
_NEXT_OF_THEIR_OWN = f"""
select {_SHOWN} from flow f join flow_run n on n.id = (
  select r.id from flow_run r
  where r.flow_id = f.id and r.state_type = 'SCHEDULED' and r.deployment_id is null
  order by r.next_scheduled_start_time limit 1)
where f.id {{in_list}} and {{no_index}}f.workspace = ?
"""
_NAME = "select name from flow_run where id = ? and workspace = ?"
_BY_STATE = """
select state_type, count(*) from (select t.state_type from task_run t where {where} limit ?) found
where state_type is not null group by state_type
"""
_BY_BUCKET = """
select ((t.start_time - ?) * {buckets}) / ?, t.state_type in ('FAILED', 'CRASHED'), count(*)
from task_run t where {where} and t.start_time >= ? and t.start_time < ? group by 1, 2
"""


async def list_points(
    reader: Reader, selection: Selection, sort: FlowRunSort, span: Span, *, now: int
) -> list[SimpleFlowRun]:
    """List flow runs as points in time; ``now`` is in microseconds."""
    rows = await select_flow_runs(reader, selection, sort, span, shape=_POINTS)
    return [
        SimpleFlowRun(
            id=row[0],
            state_type=row[1],
            timestamp=from_micros(row[3] if row[2] is None else row[2]),
            duration=estimated_run_time(row[4], row[1], row[5], now=now),
            lateness=lateness(row[2], row[3], row[1], now=now),
        )
        for row in rows
        if row[1] is not None and (row[2] is not None or row[3] is not None)
    ]


async def count_task_runs_of(reader: Reader, flow_run_ids: Sequence[str]) -> dict[str, int]:
    """Count the task runs of flow runs, but for those that stand for subflow runs."""
    return _by_id(
        flow_run_ids, await reader.all(_TASK_RUNS, json_list(flow_run_ids), reader.workspace)
    )


async def count_deployments_of(reader: Reader, flow_ids: Sequence[str]) -> dict[str, int]:
    """Count the deployments of flows."""
    return _by_id(flow_ids, await reader.all(_DEPLOYMENTS, json_list(flow_ids), reader.workspace))


async def next_runs_of(
    reader: Reader, flow_ids: Sequence[str]
) -> dict[str, SimpleNextFlowRun | None]:
    """Find the scheduled run of each flow that starts first, or should have."""
    found: dict[str, Row] = {}
    for sql in (_NEXT_OF_DEPLOYMENTS, _NEXT_OF_THEIR_OWN):
        for row in await reader.all(sql, json_list(flow_ids), reader.workspace):
            known = found.get(row[0])
            if known is None or (row[4], row[1]) < (known[4], known[1]):
                found[row[0]] = row
    return {flow_id: _next(found.get(flow_id)) for flow_id in flow_ids}


async def name_of_flow_run(reader: Reader, run_id: str) -> str | None:
    """Read how a flow run is called."""
    return await reader.value(_NAME, run_id, reader.workspace)  # type: ignore[no-any-return]


async def count_by_state(reader: Reader, selection: TaskRunSelection) -> CountByState:
    """Count task runs by their state, up to :data:`MOST_COUNTED` of them."""
    where = selection.where()
    rows = await reader.all(_BY_STATE.replace("{where}", where.sql), *where.args, MOST_COUNTED)
    return CountByState(**{row[0]: row[1] for row in rows})


async def count_by_time(
    reader: Reader, selection: TaskRunSelection, window: Window
) -> list[TaskRunCount]:
    """Count how task runs ended by when they began."""
    counts = [TaskRunCount() for _ in range(BUCKETS)]
    if window.end <= window.start:
        return counts
    statement = by_time(selection, window)
    for place, failed, count in await reader.all(statement.sql, *statement.args):
        if failed:
            counts[place].failed += count
        else:
            counts[place].completed += count
    return counts


def by_time(selection: TaskRunSelection, window: Window) -> Condition:
    """Write the statement for it."""
    where = selection.where()
    sql = _BY_BUCKET.replace("{where}", where.sql).replace("{buckets}", str(BUCKETS))
    span = (window.start, window.end)
    return Condition(sql, (window.start, window.end - window.start, *where.args, *span))


def _by_id(ids: Sequence[str], rows: Sequence[Row]) -> dict[str, int]:
    counts = {row[0]: row[1] for row in rows}
    return {each: counts.get(each, 0) for each in ids}


def _next(row: Row | None) -> SimpleNextFlowRun | None:
    if row is None:
        return None
    return SimpleNextFlowRun(
        flow_id=row[0],
        id=row[1],
        name=row[2],
        state_name=row[3],
        state_type="SCHEDULED",
        next_scheduled_start_time=from_micros(row[4]),
    )
