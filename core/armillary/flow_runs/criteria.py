"""Flow runs by their own properties and by those of what they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.api import Body
from armillary.criteria import States, Times
from armillary.db.filters import TRUE, Condition, any_of, every, exists
from armillary.deployments.filters import DeploymentFilter
from armillary.flow_runs.filters import FlowRunFilter
from armillary.flows.filters import FlowFilter
from armillary.task_runs.filters import TaskRunFilter
from armillary.work_pools.filters import WorkPoolFilter, WorkQueueFilter

_TASK_RUNS = "task_run t where t.flow_run_id = r.id and {no_index}t.workspace = r.workspace"


class FlowRunCriteria(Body):
    """The filters a request for flow runs may have."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None
    work_pool_queues: WorkQueueFilter | None = None

    def queues(self) -> WorkQueueFilter | None:
        """Return the filter of work queues."""
        return self.work_pool_queues

    def selection(self, workspace: int) -> Selection:
        """Say which runs ``r`` are meant, and what narrows them most."""
        parts: list[Condition] = []
        if self.flows is not None:
            parts.append(_of_flows(self.flows, workspace))
        if self.task_runs is not None:
            parts.append(_with_task_runs(self.task_runs, workspace))
        if self.deployments is not None:
            parts.append(_of_deployments(self.deployments, workspace))
        parts.extend(self._of_queues(workspace))
        own = self.flow_runs or FlowRunFilter()
        return Selection(
            workspace=workspace,
            beyond_state=every([own.without_state().on("r"), *parts]),
            state=own.required_state(),
            on_tag=own.on_tag("ft"),
            beyond_tag=every([own.beyond_tag().on("r"), *parts]),
            narrow=own.is_narrow() or self._is_narrow(),
            bounded=own.start_time is not None or own.expected_start_time is not None,
            expected=own.required_window(),
            owners=self._owners(own),
            tags=own.required_tags(),
        )

    def _of_queues(self, workspace: int) -> list[Condition]:
        parts = []
        if self.work_pools is not None:
            parts.append(
                _in(
                    "r.work_queue_id",
                    "q.id from work_queue q join work_pool p on p.id = q.work_pool_id"
                    " where p.workspace = ?",
                    workspace,
                    self.work_pools.on("p"),
                )
            )
        queues = self.queues()
        if queues is not None:
            source = "q.id from work_queue q where q.workspace = ?"
            parts.append(_in("r.work_queue_id", source, workspace, queues.on("q")))
        return parts

    def _owners(self, own: FlowRunFilter) -> list[Condition]:
        """Say of which deployments or flows, named by id, they are; nothing else is narrower."""
        if own.names_runs() or (self.task_runs is not None and self.task_runs.is_narrow()):
            return []
        deployments = [own.only_deployments(), self.deployments and self.deployments.only_ids()]
        for column, ids in (
            *(("r.deployment_id", ids) for ids in deployments),
            ("r.flow_id", self.flows and self.flows.only_ids()),
        ):
            if ids:
                return [Condition(f"{column} = ?", (each,)) for each in dict.fromkeys(ids)]
        return []

    def _is_narrow(self) -> bool:
        return (
            (self.flows is not None and self.flows.is_narrow())
            or (self.deployments is not None and self.deployments.is_narrow())
            or (self.task_runs is not None and self.task_runs.is_narrow())
            or self.work_pools is not None
            or self.queues() is not None
        )


class HistoryCriteria(FlowRunCriteria):
    """The same with the name that histories have for the filter of work queues."""

    work_queues: WorkQueueFilter | None = None

    def queues(self) -> WorkQueueFilter | None:
        """Return the filter of work queues."""
        return self.work_queues


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which flow runs are meant.

    The whole condition is in two parts, twice: ``state`` and ``beyond_state`` of the run ``r``,
    or, where the search starts from a tag ``ft``, ``on_tag`` and ``beyond_tag``.  The rest says
    what a good plan starts from: ``narrow`` that few runs are named by an index, ``bounded`` that
    a time of start is, ``expected`` a window of expected starts where nothing is said of starts,
    ``owners`` one condition for each deployment or flow that is named, of which every match meets
    one, ``tags`` tags of which all, and of which one, every match has.
    """

    workspace: int
    beyond_state: Condition
    state: States | None
    on_tag: Condition
    beyond_tag: Condition
    narrow: bool = False
    bounded: bool = False
    expected: Times | None = None
    owners: Sequence[Condition] = ()
    tags: tuple[list[str], list[str]] = ([], [])

    @property
    def states(self) -> Sequence[str] | None:
        """The types of state to choose from, where there is such a choice."""
        return None if self.state is None else self.state.required_types()

    @property
    def state_names(self) -> Sequence[str] | None:
        """The names of states to choose from, where there is such a choice."""
        return None if self.state is None else self.state.required_names()

    def without_types(self) -> Selection:
        """Leave out what :attr:`states` says, for who requires it in another way."""
        if self.state is None or self.states is None:
            return self
        return msgspec.structs.replace(self, state=msgspec.structs.replace(self.state, type=None))

    def where(self) -> Condition:
        """The whole condition with the workspace; a narrow one shall not start from that."""
        return self._whole("{no_index}" if self.narrow else "", "")

    def walking(self, *, by_workspace: bool) -> Condition:
        """The same for a search that walks an order's index: it shall not start from states."""
        return self._whole("" if by_workspace else "{no_index}", "{no_index}")

    def cut(self, on_run: Condition, on_tag: Condition | None = None) -> Selection:
        """Add a bound of an order on ``r``, and how it is written on ``ft`` if that can be."""
        return msgspec.structs.replace(
            self,
            bounded=True,
            beyond_state=every([self.beyond_state, on_run]),
            on_tag=self.on_tag if on_tag is None else every([self.on_tag, on_tag]),
            beyond_tag=every([self.beyond_tag, on_run]) if on_tag is None else self.beyond_tag,
        )

    def _whole(self, workspace: str, state: str) -> Condition:
        parts = [Condition(f"{workspace}r.workspace = ?", (self.workspace,)), self.beyond_state]
        if self.state is not None:
            parts.append(self.state.on(f"{state}r"))
        return every(parts)


def _in(column: str, source: str, workspace: int, condition: Condition) -> Condition:
    return Condition(
        f"{column} in (select {source} and {condition.sql})", (workspace, *condition.args)
    )


def _of_flows(flows: FlowFilter, workspace: int) -> Condition:
    ids = flows.only_ids()
    if ids is not None:
        return every(any_of("r.flow_id", ids))
    return _in("r.flow_id", "f.id from flow f where f.workspace = ?", workspace, flows.on("f"))


def _of_deployments(deployments: DeploymentFilter, workspace: int) -> Condition:
    """A run may name a deployment that is gone, which then does not count."""
    ids = deployments.only_ids()
    if ids is not None:
        there = "deployment d where d.id = r.deployment_id and {no_index}d.workspace = r.workspace"
        return every([*any_of("r.deployment_id", ids), exists(there, TRUE)])
    source = "d.id from deployment d where d.workspace = ?"
    return _in("r.deployment_id", source, workspace, deployments.on("d"))


def _with_task_runs(task_runs: TaskRunFilter, workspace: int) -> Condition:
    condition = task_runs.on("t")
    if task_runs.is_narrow():
        source = "t.flow_run_id from task_run t where t.workspace = ?"
        return _in("r.id", source, workspace, condition)
    return exists(_TASK_RUNS, condition)
