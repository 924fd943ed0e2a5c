"""Task runs by their own properties and by those of the flow runs they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.api import Body
from armillary.db.filters import TRUE, Condition, any_of, every, exists
from armillary.deployments.filters import DeploymentFilter
from armillary.flow_runs.filters import FlowRunFilter
from armillary.flows.filters import FlowFilter
from armillary.task_runs.filters import TaskRunFilter

_RUN = "flow_run r where r.id = t.flow_run_id and {no_index}r.workspace = t.workspace"
_FLOW = (
    "flow_run r join flow f on f.id = r.flow_id"
    " where r.id = t.flow_run_id and {no_index}f.workspace = t.workspace"
)
_DEPLOYMENT = (
    "flow_run r join deployment d on d.id = r.deployment_id"
    " where r.id = t.flow_run_id and {no_index}d.workspace = t.workspace"
)


class TaskRunCriteria(Body):
    """The filters a request for task runs may have."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None

    def selection(self, workspace: int) -> TaskRunSelection:
        """Say which task runs ``t`` are meant, and what narrows them most."""
        own = self.task_runs or TaskRunFilter()
        parts = [] if self.task_runs is None else [own.on("t")]
        narrow = own.is_narrow()
        if self.flow_runs is not None:
            ids = self.flow_runs.only_ids()
            if ids is None:
                parts.append(exists(_RUN, self.flow_runs.on("r")))
            else:
                narrow = True
                parts.extend([*any_of("t.flow_run_id", ids), exists(_RUN, TRUE)])
        if self.flows is not None:
            parts.append(exists(_FLOW, self.flows.on("f")))
        if self.deployments is not None:
            parts.append(exists(_DEPLOYMENT, self.deployments.on("d")))
        return TaskRunSelection(
            workspace=workspace,
            condition=every(parts),
            narrow=narrow,
            states=own.required_states(),
        )


class TaskRunSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Which task runs are meant.

    ``condition`` is whole; ``narrow`` says that few are named by an index, ``states`` the types
    to choose from.
    """

    workspace: int
    condition: Condition
    narrow: bool = False
    states: Sequence[str] | None = None

    def where(self) -> Condition:
        """The whole condition with the workspace; a narrow one shall not start from that."""
        plus = "{no_index}" if self.narrow else ""
        return every([Condition(f"{plus}t.workspace = ?", (self.workspace,)), self.condition])
