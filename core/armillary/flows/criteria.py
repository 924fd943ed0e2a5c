"""Flows by their own properties and by those of their runs and deployments."""

from __future__ import annotations

from armillary.api import Body
from armillary.db.filters import Condition, every, exists
from armillary.deployments.filters import DeploymentFilter
from armillary.flow_runs.filters import FlowRunFilter
from armillary.flows.filters import FlowFilter
from armillary.task_runs.filters import TaskRunFilter
from armillary.work_pools.filters import WorkPoolFilter

_RUNS = "flow_run r where r.flow_id = f.id and {no_index}r.workspace = f.workspace"
_TASK_RUNS = (
    "flow_run r join task_run t on t.flow_run_id = r.id"
    " where r.flow_id = f.id and {no_index}t.workspace = f.workspace"
)
_DEPLOYMENTS = "deployment d where d.flow_id = f.id and {no_index}d.workspace = f.workspace"
_POOLS = (
    "deployment d join work_queue q on q.id = d.work_queue_id"
    " join work_pool p on p.id = q.work_pool_id"
    " where d.flow_id = f.id and {no_index}p.workspace = f.workspace"
)


class FlowCriteria(Body):
    """The filters a request for flows may have."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None

    def condition(self) -> Condition:
        """Say which flows ``f`` are meant."""
        parts = [] if self.flows is None else [self.flows.on("f")]
        if self.flow_runs is not None:
            parts.append(exists(_RUNS, self.flow_runs.on("r")))
        if self.task_runs is not None:
            parts.append(exists(_TASK_RUNS, self.task_runs.on("t")))
        if self.deployments is not None:
            parts.append(exists(_DEPLOYMENTS, self.deployments.on("d")))
        if self.work_pools is not None:
            parts.append(exists(_POOLS, self.work_pools.on("p")))
        return every(parts)
