"""Deployments by their own properties and by those of their flows, runs and queues."""

from __future__ import annotations

from armillary.api import Body
from armillary.db.filters import Condition, every, exists
from armillary.deployments.filters import DeploymentFilter
from armillary.flow_runs.filters import FlowRunFilter
from armillary.flows.filters import FlowFilter
from armillary.task_runs.filters import TaskRunFilter
from armillary.work_pools.filters import WorkPoolFilter, WorkQueueFilter

_FLOWS = "flow f where f.id = d.flow_id and +f.workspace = d.workspace"
_RUNS = "flow_run r where r.deployment_id = d.id and +r.workspace = d.workspace"
_TASK_RUNS = (
    "flow_run r join task_run t on t.flow_run_id = r.id"
    " where r.deployment_id = d.id and +t.workspace = d.workspace"
)
_QUEUES = "work_queue q where q.id = d.work_queue_id"
_POOLS = "work_queue q join work_pool p on p.id = q.work_pool_id where q.id = d.work_queue_id"


class DeploymentCriteria(Body):
    """The filters a request for deployments may have."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None
    work_pool_queues: WorkQueueFilter | None = None

    def condition(self) -> Condition:
        """Say which deployments ``d`` are meant."""
        parts = [] if self.deployments is None else [self.deployments.on("d")]
        if self.flows is not None:
            parts.append(exists(_FLOWS, self.flows.on("f")))
        if self.flow_runs is not None:
            parts.append(exists(_RUNS, self.flow_runs.on("r")))
        if self.task_runs is not None:
            parts.append(exists(_TASK_RUNS, self.task_runs.on("t")))
        if self.work_pools is not None:
            parts.append(exists(_POOLS, self.work_pools.on("p")))
        if self.work_pool_queues is not None:
            parts.append(exists(_QUEUES, self.work_pool_queues.on("q")))
        return every(parts)
