"""Reading what a decision about a task run needs: the run, its state, the flow run around it."""

from __future__ import annotations

import msgspec

from armillary.clock import maybe_moment
from armillary.db.unit import Row, Unit
from armillary.orchestration.policies import TaskRunPolicy
from armillary.orchestration.states import State
from armillary.orchestration.transition import TaskRunFacts
from armillary.orchestration.wire import state_from_row

_LOCKED = """
select r.id, r.workspace, r.flow_run_id, r.tags, r.run_count, r.flow_run_run_count,
  r.empirical_policy, r.start_time, r.end_time, r.expected_start_time,
  r.next_scheduled_start_time, r.total_run_time,
  s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details,
  f.id, f.run_count, fs.id, fs.type, fs.name, fs.timestamp, fs.message, fs.data, fs.details,
  r.state_id
from task_run r
  left join task_run_state s on s.id = r.state_id and s.task_run_id = r.id
  left join flow_run f on f.id = r.flow_run_id
  left join flow_run_state fs on fs.id = f.state_id
where r.id = ? and (r.flow_run_id is null or f.id is not null) {lock_r}
"""
_STATE, _STATE_ID = 12, 28
_AROUND = """
select f.id, f.run_count, fs.id, fs.type, fs.name, fs.timestamp, fs.message, fs.data, fs.details,
  f.labels
from flow_run f left join flow_run_state fs on fs.id = f.state_id
where f.id = ? and f.workspace = ?
"""

_policy = msgspec.json.Decoder(TaskRunPolicy).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A task run, ready to be decided about."""

    workspace: int
    facts: TaskRunFacts
    state: State | None


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """The flow run a new task run belongs to."""

    run_count: int
    state: State | None
    labels: str


async def load(unit: Unit, task_run_id: str) -> Loaded | None:
    """Load and lock a task run; None if it is not there.

    One that somebody else had locked is there as they left it, but its state, which is joined to
    it, is not found: then it is loaded again, locked by now.
    """
    row = await unit.one(_LOCKED, task_run_id)
    if row is not None and row[_STATE] is None and row[_STATE_ID] is not None:
        row = await unit.one(_LOCKED, task_run_id)
    return None if row is None else _loaded(row)


async def load_around(unit: Unit, flow_run_id: str, workspace: int) -> Around | None:
    """Look at a flow run of that workspace; None if it is not there."""
    row = await unit.one(_AROUND, flow_run_id, workspace)
    if row is None:
        return None
    return Around(run_count=row[1], state=state_from_row(row[2:9]), labels=row[9])


def _loaded(row: Row) -> Loaded:
    return Loaded(
        workspace=row[1],
        facts=TaskRunFacts(
            id=row[0],
            flow_run_id=row[2],
            flow_run_found=row[19] is not None,
            flow_run_state=state_from_row(row[21:28]),
            flow_run_count=row[20] or 0,
            tags=_names(row[3]),
            run_count=row[4],
            flow_run_run_count=row[5],
            policy=_policy(row[6]),
            start_time=maybe_moment(row[7]),
            end_time=maybe_moment(row[8]),
            expected_start_time=maybe_moment(row[9]),
            next_scheduled_start_time=maybe_moment(row[10]),
            total_run_time=row[11],
        ),
        state=state_from_row(row[12:19]),
    )
