"""What the pages of deployments show: lists cut by keyset, last runs, schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from armillary.concurrency.limits import LIMIT_COLUMNS
from armillary.db.filters import Condition, every, json_list
from armillary.db.unit import Reader, Row
from armillary_web.slices import Slice, cut

MARKS = 12
"""Last runs of a deployment, or a flow, that are drawn."""
SCHEDULES = 1000
"""Schedules read for one page."""
_NEXT = """
(select min(r.next_scheduled_start_time) from flow_run r where r.deployment_id = d.id
  and r.state_type = 'SCHEDULED' and r.next_scheduled_start_time >= ?)
"""
_LIST = f"""
select d.id, d.name, d.flow_id, f.name, d.paused, d.status, d.tags, p.name,
  coalesce(q.name, d.work_queue_name), {_NEXT}
from (select d.id as id from deployment d where {{where}}
    order by d.name {{way}}, d.id {{way}} limit ?) k
  cross join deployment d
  join flow f on f.id = d.flow_id
  left join work_queue q on q.id = d.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
where d.id = k.id order by d.name {{way}}, d.id {{way}}
"""
_LAST = """
select * from (select r.{of}, r.id, r.name, r.state_type, r.state_name, r.start_time,
    r.state_timestamp, r.total_run_time, r.expected_start_time
  from flow_run r where r.{of} = ? and r.expected_start_time <= ?
  order by r.expected_start_time desc limit ?) last{number}
"""
_SCHEDULES = f"""
select c.id, c.deployment_id, c.schedule, c.active, c.slug from deployment_schedule c
where c.workspace = ? and c.deployment_id {{in_list}} order by c.updated desc, c.id desc
limit {SCHEDULES}
"""
_ANY = "select 1 from deployment where workspace = ? limit 1"
_ONE = f"""
select d.id, d.name, d.flow_id, f.name, d.paused, d.status, d.tags, p.name,
  coalesce(q.name, d.work_queue_name), {_NEXT}, d.description, d.entrypoint, d.path, d.version,
  d.job_variables, d.parameters, d.parameter_openapi_schema, d.enforce_parameter_schema,
  d.last_polled, d.created, d.updated, {LIMIT_COLUMNS}
from deployment d
  join flow f on f.id = d.flow_id
  left join work_queue q on q.id = d.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
  left join concurrency_limit l on l.id = d.concurrency_limit_id
where d.workspace = ? and d.id = ?
"""
LIMIT_FROM = 21
"""Where in a row of one deployment its limit begins."""


class Place(msgspec.Struct, frozen=True):
    """Where in the list a page is cut: the deployment there, not included."""

    name: str
    id: str


def place_of(row: Row) -> Place:
    """Where a row of the list stands."""
    return Place(row[1], row[0])


async def list_deployments(  # noqa: PLR0913 - which ones, from where, how many
    reader: Reader,
    condition: Condition,
    *,
    limit: int,
    now: int,
    after: Place | None = None,
    before: Place | None = None,
) -> Slice[Row]:
    """List deployments by name: the first, those behind a place, or those right before one."""
    parts = [Condition("d.workspace = ?", (reader.workspace,)), condition]
    if after is not None:
        parts.append(Condition("(d.name, d.id) > (?, ?)", (after.name, after.id)))
    elif before is not None:
        parts.append(Condition("(d.name, d.id) < (?, ?)", (before.name, before.id)))
    upwards = before is not None and after is None
    where = every(parts)
    sql = _LIST.format(where=where.sql, way="desc" if upwards else "asc")
    rows = await reader.all(sql, now, *where.args, limit + 1)
    return cut(rows, limit, backwards=upwards)


async def last_runs(
    reader: Reader,
    ids: Sequence[str],
    *,
    now: int,
    of: Literal["deployment_id", "flow_id"] = "deployment_id",
) -> dict[str, list[Row]]:
    """Read the last runs of each deployment, or flow, oldest first, in one statement."""
    found: dict[str, list[Row]] = {each: [] for each in ids}
    if ids:
        parts = [_LAST.format(of=of, number=number) for number in range(len(ids))]
        arguments = [value for each in ids for value in (each, now, MARKS)]
        for row in await reader.all(" union all ".join(parts), *arguments):
            found[row[0]].append(row)
    return {each: sorted(rows, key=lambda row: row[8]) for each, rows in found.items()}


async def schedules_of(reader: Reader, ids: Sequence[str]) -> dict[str, list[Row]]:
    """Read the schedules of each deployment, those changed last first."""
    found: dict[str, list[Row]] = {each: [] for each in ids}
    if ids:
        for row in await reader.all(_SCHEDULES, reader.workspace, json_list(ids)):
            found[row[1]].append(row)
    return found


async def any_deployments(reader: Reader) -> bool:
    """Tell whether the workspace has any deployment at all."""
    return await reader.one(_ANY, reader.workspace) is not None


async def read_deployment(reader: Reader, deployment_id: str, *, now: int) -> Row | None:
    """Read a deployment with the names of what it belongs to, and its limit."""
    return await reader.one(_ONE, now, reader.workspace, deployment_id)
