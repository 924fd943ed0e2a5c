"""Finds what cancelled runs left behind."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Reader

_CHILD_TASKS = """
select t.id, t.workspace, null from flow_run r join task_run t on t.flow_run_id = r.id
where r.state_type = 'CANCELLED' and r.end_time >= ?
  and t.state_type not in ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
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
_HANGING = """
select id, workspace, state_id from flow_run
where state_type = 'CANCELLING' and state_timestamp <= ? order by id limit ?
"""


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


async def hanging(reader: Reader, before: int, *, limit: int) -> list[Found]:
    """Find runs that have been Cancelling since ``before`` or longer."""
    return [Found(*row) for row in await reader.all(_HANGING, before, limit)]
