"""Finds deployments whose schedules have too little ahead of them."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Reader

# Runs from the future were made while the clock was ahead: between them and now none may be.
_WANTING = """
select distinct d.id, d.workspace from deployment d
  join deployment_schedule c on c.deployment_id = d.id
where d.paused = 0 and c.active = 1 and d.id > ? and (
  (select count(*) from flow_run r where r.schedule_id = c.id and r.state_type = 'SCHEDULED'
    and r.next_scheduled_start_time >= ? and r.created <= ?) < ?
  or coalesce((select max(r.next_scheduled_start_time) from flow_run r
    where r.schedule_id = c.id and r.state_type = 'SCHEDULED' and r.created <= ?), 0) < ?)
order by d.id limit ?
"""
_RECENT = """
select d.id, d.workspace from deployment d
where d.updated >= ? and d.paused = 0 and d.id > ?
  and exists (select 1 from deployment_schedule c where c.deployment_id = d.id and c.active = 1)
order by d.id limit ?
"""


class Found(msgspec.Struct, frozen=True):
    """A deployment to schedule."""

    deployment_id: str
    workspace: int


async def wanting(  # noqa: PLR0913 - one query, all its bounds
    reader: Reader, *, after: str, now: int, min_runs: int, until: int, limit: int
) -> list[Found]:
    """Find unpaused deployments with a schedule that has too few runs, or none far enough ahead."""
    rows = await reader.all(_WANTING, after, now, now, min_runs, now, until, limit)
    return [Found(*row) for row in rows]


async def recent(reader: Reader, *, after: str, since: int, limit: int) -> list[Found]:
    """Find unpaused deployments with schedules that were changed since then (microseconds)."""
    return [Found(*row) for row in await reader.all(_RECENT, since, after, limit)]
