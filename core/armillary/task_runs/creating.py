"""Creating task runs over REST: subflow tracking, background tasks, calls to deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from armillary.clock import maybe_micros
from armillary.db.unit import Unit
from armillary.errors import Conflict
from armillary.orchestration.policies import TaskRunPolicy
from armillary.orchestration.states import Proposal
from armillary.orchestration.transition import Client
from armillary.task_runs.loading import load_around

if TYPE_CHECKING:
    from datetime import datetime

_OF_FLOW_RUN = """
select id from task_run
where flow_run_id = ? and task_key = ? and dynamic_key = ? and workspace = ?
"""
_IN_BACKGROUND = """
select id from task_run
where workspace = ? and flow_run_id is null and task_key = ? and dynamic_key = ?
order by created, id limit 1
"""
_COLUMNS = (
    "id, workspace, created, updated, name, flow_run_id, task_key, dynamic_key, cache_key, "
    "cache_expiration, task_version, run_count, flow_run_run_count, total_run_time, "
    "empirical_policy, task_inputs, tags, labels"
)
_INSERT = f"""
insert into task_run ({_COLUMNS}) values ({", ".join("?" * 18)}) on conflict do nothing
"""
_encode = msgspec.json.Encoder().encode
_labels = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class NewTaskRun(msgspec.Struct, frozen=True, kw_only=True):
    """A task run to be; ``task_inputs`` is JSON text."""

    workspace: int
    id: str
    name: str
    flow_run_id: str | None
    task_key: str
    dynamic_key: str
    proposal: Proposal
    client: Client = Client()
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = TaskRunPolicy()
    task_inputs: str = "{}"
    tags: Sequence[str] = ()
    labels: Mapping[str, msgspec.Raw] = {}


async def find_existing(unit: Unit, new: NewTaskRun) -> str | None:
    """Return the id of the run that has the natural key already."""
    if new.flow_run_id is None:
        found = await unit.value(_IN_BACKGROUND, new.workspace, new.task_key, new.dynamic_key)
    else:
        found = await unit.value(
            _OF_FLOW_RUN, new.flow_run_id, new.task_key, new.dynamic_key, new.workspace
        )
    return None if found is None else str(found)


async def insert_task_run(unit: Unit, new: NewTaskRun) -> bool:
    """Insert a run that has no state yet; False if its id or natural key is taken.

    Raises Conflict if its flow run is not in the workspace.
    """
    labels = dict(new.labels)
    if new.flow_run_id is not None:
        around = await load_around(unit, new.flow_run_id, new.workspace)
        if around is None:
            raise Conflict
        labels = {
            **_labels(around.labels),
            "prefect.flow-run.id": msgspec.Raw(_encode(new.flow_run_id)),
            **labels,
        }
    inserted = await unit.run(
        _INSERT,
        new.id,
        new.workspace,
        unit.micros,
        unit.micros,
        new.name,
        new.flow_run_id,
        new.task_key,
        new.dynamic_key,
        new.cache_key,
        maybe_micros(new.cache_expiration),
        new.task_version,
        0,
        0,
        0.0,
        _encode(new.empirical_policy).decode(),
        new.task_inputs,
        _encode(new.tags).decode(),
        _encode(labels).decode(),
    )
    return inserted == 1
