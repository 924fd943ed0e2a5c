"""Reading what a decision about a flow run needs: the run, its state, what it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.clock import maybe_moment
from armillary.db.unit import Row, Unit
from armillary.flow_runs.events import RunContext
from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.states import State
from armillary.orchestration.transition import DeploymentLimit, FlowRunFacts
from armillary.orchestration.wire import state_from_row

LOAD = """
select r.id, r.workspace, r.name, r.flow_id, r.deployment_id, r.work_queue_id,
  r.parent_task_run_id, r.infrastructure_pid, r.run_count, r.empirical_policy, r.start_time,
  r.end_time, r.expected_start_time, r.next_scheduled_start_time, r.total_run_time, r.tags,
  r.created_by, s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details,
  f.name, f.tags, d.id, d.name, d.tags, d.concurrency_limit_id, d.concurrency_options,
  q.name, p.id, p.name, p.type, r.state_id
from flow_run r
  join flow f on f.id = r.flow_id and f.workspace = r.workspace
  left join flow_run_state s on s.id = r.state_id
  left join deployment d on d.id = r.deployment_id and d.workspace = r.workspace
  left join work_queue q on q.id = r.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
where r.id {one}
"""
LOCKED = LOAD + " order by r.id {lock_r}"
DOOMED = LOCKED.replace(" and f.workspace = r.workspace", "").replace(
    " and d.workspace = r.workspace", ""
)
"""The same of runs whose flow is deleted: it and its deployments are put aside until they are."""
_STATE, _STATE_ID = 17, 35
_PARENT = "select name, tags from task_run where id = ? and workspace = ?"

_policy = msgspec.json.Decoder(FlowRunPolicy).decode
_names = msgspec.json.Decoder(list[str]).decode


class _Options(msgspec.Struct):
    collision_strategy: str = "ENQUEUE"
    grace_period_seconds: int | None = None


class _CreatedBy(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    display_value: str | None = None


_options = msgspec.json.Decoder(_Options | None).decode
_created_by = msgspec.json.Decoder(_CreatedBy).decode


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A flow run, ready to be decided about."""

    workspace: int
    facts: FlowRunFacts
    state: State | None
    context: RunContext


async def load(unit: Unit, ids: Sequence[str], *, doomed: bool = False) -> dict[str, Loaded]:
    """Load and lock runs; those that are not there are not in the answer.

    A run that somebody else had locked is there as they left it, but what is joined to it is as
    it was before: its state is not found.  Such runs, locked by now, are loaded again.
    """
    rows = {row[0]: row for row in await unit.for_each(DOOMED if doomed else LOCKED, ids)}
    moved = [row[0] for row in rows.values() if row[_STATE] is None and row[_STATE_ID] is not None]
    if moved:
        rows |= {row[0]: row for row in await unit.for_each(LOCKED, moved)}
    return {run_id: _loaded(row) for run_id, row in rows.items()}


async def with_parent(unit: Unit, loaded: Loaded) -> Loaded:
    """Add the parent task run's name and tags to the context of a subflow run."""
    parent = await unit.one(_PARENT, loaded.facts.parent_task_run_id, loaded.workspace)
    if parent is None:
        return loaded
    context = msgspec.structs.replace(
        loaded.context,
        parent_task_run_id=loaded.facts.parent_task_run_id,
        parent_task_run_name=parent[0],
        tags=loaded.context.tags | frozenset(_names(parent[1])),
    )
    return msgspec.structs.replace(loaded, context=context)


def _loaded(row: Row) -> Loaded:
    return Loaded(
        workspace=row[1],
        facts=FlowRunFacts(
            id=row[0],
            deployment_id=row[4],
            deployment_found=row[26] is not None,
            deployment_limit=deployment_limit(row[29], row[30]),
            parent_task_run_id=row[6],
            infrastructure_pid=row[7],
            work_queue_id=row[5],
            run_count=row[8],
            policy=_policy(row[9]),
            start_time=maybe_moment(row[10]),
            end_time=maybe_moment(row[11]),
            expected_start_time=maybe_moment(row[12]),
            next_scheduled_start_time=maybe_moment(row[13]),
            total_run_time=row[14],
        ),
        state=state_from_row(row[17:24]),
        context=RunContext(
            name=row[2],
            flow_id=row[3],
            flow_name=row[24],
            deployment_id=row[4],
            deployment_name=row[27],
            work_queue_id=row[5],
            work_queue_name=row[31],
            work_pool_id=row[32],
            work_pool_name=row[33],
            work_pool_type=row[34],
            tags=union_of_tags(row[15], row[25], row[28]),
            creator=creator(row[16]),
        ),
    )


def deployment_limit(limit_id: str | None, options: str | None) -> DeploymentLimit | None:
    """Describe a deployment's limit from its columns; None where it has none."""
    if limit_id is None:
        return None
    given = (_options(options) if options else None) or _Options()
    return DeploymentLimit(
        id=limit_id,
        collision_strategy=given.collision_strategy,
        grace_period_seconds=given.grace_period_seconds,
    )


def union_of_tags(*columns: str | None) -> frozenset[str]:
    """Unite stored tag lists."""
    return frozenset(
        tag for column in columns if column and column != "[]" for tag in _names(column)
    )


def creator(stored: str | None) -> dict[str, str] | None:
    """Describe who made the run, where that is an automation or a deployment."""
    if stored is None:
        return None
    made_by = _created_by(stored)
    if made_by.type not in ("AUTOMATION", "DEPLOYMENT") or made_by.id is None:
        return None
    described = {
        "prefect.resource.id": f"prefect.{made_by.type.lower()}.{made_by.id}",
        "prefect.resource.role": "creator",
    }
    if made_by.display_value is not None:
        described["prefect.resource.name"] = made_by.display_value
    return described
