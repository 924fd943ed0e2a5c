"""What the page of one run shows: the run, its states, its task runs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.db.unit import Reader, Row
from armillary_plugins.ui.schemas import StateCount

STATES = 200
"""The latest states shown of a run."""
COUNTED = 10_000
"""Task runs counted by state."""

_FLOW_RUN = """
select r.id, r.name, r.state_type, r.state_name, r.state_timestamp, s.message, r.flow_id, f.name,
  r.deployment_id, d.name, p.name, coalesce(q.name, r.work_queue_name), pr.id, pr.name,
  r.expected_start_time, r.start_time, r.end_time, r.total_run_time, r.run_count, r.tags,
  r.created, r.updated, r.created_by, r.flow_version, r.infrastructure_pid, r.idempotency_key,
  r.parameters, r.job_variables,
  (select count(*) from (select 1 from task_run t where t.flow_run_id = r.id limit ?) tasks)
from flow_run r
  left join flow_run_state s on s.id = r.state_id
  left join flow f on f.id = r.flow_id
  left join deployment d on d.id = r.deployment_id and d.workspace = r.workspace
  left join work_queue q on q.id = r.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
  left join task_run pt on pt.id = r.parent_task_run_id and pt.workspace = r.workspace
  left join flow_run pr on pr.id = pt.flow_run_id
where r.id = ? and r.workspace = ?
"""
_CHILD = """
(select c.id from flow_run c where c.parent_task_run_id = t.id and c.workspace = t.workspace
  order by c.created desc limit 1)
"""
_WAIT = """
select r.work_queue_id, r.next_scheduled_start_time, d.last_polled, l.slot_limit
from flow_run r
  left join deployment d on d.id = r.deployment_id and d.workspace = r.workspace
  left join concurrency_limit l on l.id = d.concurrency_limit_id
where r.id = ? and r.workspace = ?
"""
_TASK_RUN = f"""
select t.id, t.name, t.task_key, t.state_type, t.state_name, t.state_timestamp, s.message,
  r.id, r.name, {_CHILD}, t.start_time, t.end_time, t.total_run_time, t.run_count,
  t.empirical_policy, t.dynamic_key, t.cache_key, t.task_version, t.tags, t.created,
  t.task_inputs
from task_run t
  left join task_run_state s on s.id = t.state_id and s.task_run_id = t.id
  left join flow_run r on r.id = t.flow_run_id
where t.id = ? and t.workspace = ?
"""
_FLOW_RUN_STATES = """
select s.type, s.name, s.timestamp, s.message
from flow_run_state s join flow_run r on r.id = s.flow_run_id
where s.flow_run_id = ? and r.workspace = ? order by s.timestamp desc, s.id desc limit ?
"""
_TASK_RUN_STATES = """
select s.type, s.name, s.timestamp, s.message
from task_run_state s join task_run r on r.id = s.task_run_id
where s.task_run_id = ? and r.workspace = ? order by s.timestamp desc, s.id desc limit ?
"""
_BEGAN = "coalesce(t.start_time, t.expected_start_time, t.created)"
_TASKS = f"""
select t.id, t.name, t.state_type, t.state_name, t.state_timestamp, t.start_time, t.end_time,
  t.total_run_time, t.run_count, {_CHILD}, {_BEGAN}
from task_run t where t.flow_run_id = ? and {{{{no_index}}}}t.workspace = ? {{cut}}
order by {_BEGAN} {{way}}, t.id {{way}} limit ?
"""
_FIRST_TASKS = _TASKS.format(cut="", way="asc")
_NEXT_TASKS = _TASKS.format(cut=f"and ({_BEGAN}, t.id) > (?, ?)", way="asc")
_PREVIOUS_TASKS = _TASKS.format(cut=f"and ({_BEGAN}, t.id) < (?, ?)", way="desc")
_COUNTS = """
select state_type, count(*) from
  (select state_type from task_run
    where flow_run_id = ? and {no_index}workspace = ? limit ?) counted
where state_type is not null group by state_type
"""


class TaskPlace(msgspec.Struct, frozen=True):
    """Where in the list of task runs a page is cut."""

    began: int
    id: str


class TaskSlice(msgspec.Struct, frozen=True):
    """Consecutive task runs as rows, oldest first."""

    rows: Sequence[Row]
    more: bool

    @property
    def places(self) -> tuple[TaskPlace, TaskPlace] | None:
        """The first and the last."""
        if not self.rows:
            return None
        first, last = self.rows[0], self.rows[-1]
        return TaskPlace(first[10], first[0]), TaskPlace(last[10], last[0])


async def read_flow_run(reader: Reader, run_id: str) -> Row | None:
    """Read a flow run with the names of what it belongs to."""
    rows = await reader.all(_FLOW_RUN, COUNTED, run_id, reader.workspace)
    return rows[0] if rows else None


async def read_wait(reader: Reader, run_id: str) -> Row | None:
    """Read what a run waits for: its queue, its time, who serves its deployment, the limit."""
    return await reader.one(_WAIT, run_id, reader.workspace)


async def read_task_run(reader: Reader, run_id: str) -> Row | None:
    """Read a task run with the names of what it belongs to."""
    return await reader.one(_TASK_RUN, run_id, reader.workspace)


async def list_states(reader: Reader, run_id: str, *, of_task_run: bool = False) -> list[Row]:
    """List the latest states of a run of the workspace, oldest first."""
    sql = _TASK_RUN_STATES if of_task_run else _FLOW_RUN_STATES
    return list(reversed(await reader.all(sql, run_id, reader.workspace, STATES)))


async def list_task_runs(
    reader: Reader,
    run_id: str,
    *,
    limit: int,
    after: TaskPlace | None = None,
    before: TaskPlace | None = None,
) -> TaskSlice:
    """List a flow run's task runs as they began: the first, or those behind or before a place."""
    workspace = reader.workspace
    if before is not None:
        rows = await reader.all(
            _PREVIOUS_TASKS, run_id, workspace, before.began, before.id, limit + 1
        )
        return TaskSlice(list(reversed(rows[:limit])), len(rows) > limit)
    if after is not None:
        rows = await reader.all(_NEXT_TASKS, run_id, workspace, after.began, after.id, limit + 1)
    else:
        rows = await reader.all(_FIRST_TASKS, run_id, workspace, limit + 1)
    return TaskSlice(rows[:limit], len(rows) > limit)


async def count_task_runs(reader: Reader, run_id: str) -> tuple[StateCount, ...]:
    """Count a flow run's task runs by state, up to :data:`COUNTED`."""
    rows = await reader.all(_COUNTS, run_id, reader.workspace, COUNTED)
    return tuple(
        StateCount(state_type=row[0], count=row[1], path=f"/runs/flow-run/{run_id}")
        for row in sorted(rows, key=lambda row: -row[1])
    )
