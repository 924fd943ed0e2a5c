"""Finds what cancelled runs left behind."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Reader, Unit
from armillary.jobs import Wanted
from armillary.jobs.store import enqueue

# What stands for a subflow run ends with that, which may take its owner a while.
_CHILD_TASKS = """
select t.id, t.workspace, null from flow_run r join task_run t on t.flow_run_id = r.id
where r.state_type = 'CANCELLED' and r.end_time >= ?
  and t.state_type not in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
  and not exists (
    select 1 from flow_run c where c.parent_task_run_id = t.id and c.workspace = t.workspace
      and c.state_type not in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'))
limit ?
"""
# A subflow run that is Cancelling already needs no second word.
_SUBFLOWS = """
select c.id, c.workspace, c.deployment_id
from flow_run r join task_run t on t.flow_run_id = r.id
  join flow_run c on c.parent_task_run_id = t.id and c.workspace = t.workspace
where r.state_type = 'CANCELLED' and r.end_time >= ?
  and c.state_type not in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'CANCELLING')
limit ?
"""
_FORGOTTEN = """
select r.id, r.workspace, r.state_id from flow_run r
where r.state_type = 'CANCELLING' and not exists (
  select 1 from job j where j.queue = ? and j.key = r.state_id
    and j.state in ('waiting', 'active', 'dead'))
order by r.id limit ?
"""
_SINCE = "select state_id, state_timestamp from flow_run where id = ? {for_update}"
QUEUE = "cancellation_cleanup"
JOB = "end_cancellation"


class Found(msgspec.Struct, frozen=True):
    """A run to cancel; ``mark`` is its deployment, or the state it hangs in."""

    run_id: str
    workspace: int
    mark: str | None


async def child_task_runs(reader: Reader, since: int, *, limit: int) -> list[Found]:
    """Find unfinished task runs of flow runs that were cancelled since then (microseconds)."""
    return [Found(*row) for row in await reader.all(_CHILD_TASKS, since, limit)]


async def subflow_runs(reader: Reader, since: int, *, limit: int) -> list[Found]:
    """Find unfinished subflow runs of flow runs that were cancelled since then."""
    return [Found(*row) for row in await reader.all(_SUBFLOWS, since, limit)]


async def forgotten(reader: Reader, *, limit: int) -> list[Found]:
    """Find runs that are Cancelling without a job that looks at them."""
    return [Found(*row) for row in await reader.all(_FORGOTTEN, QUEUE, limit)]


async def look_again(unit: Unit, run_id: str, state_id: str) -> bool:
    """Have a job look at a run that is Cancelling; False if one does already."""
    wanted = Wanted(
        id=state_id,
        queue=QUEUE,
        job=JOB,
        key=state_id,
        arguments={"run_id": run_id, "state_id": state_id},
        start=unit.micros,
    )
    return await enqueue(unit, wanted)


async def cancelling_since(unit: Unit, run_id: str, state_id: str) -> int | None:
    """Return since when a run is in a state, in microseconds; None if it is not any more."""
    row = await unit.one(_SINCE, run_id)
    return None if row is None or row[0] != state_id else row[1]
