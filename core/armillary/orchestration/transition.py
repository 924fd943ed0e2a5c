"""Everything a rule may look at: the run, its state, the proposal and who asks."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.orchestration.policies import NO_CHANGE, FlowRunPolicy, RunChange, TaskRunPolicy
from armillary.orchestration.states import Proposal, State, StateType


class Client(msgspec.Struct, frozen=True):
    """Who proposes, as far as behaviour depends on it; None means unknown.

    ``version`` comes from the User-Agent, ``api`` from X-PREFECT-API-VERSION (absent: newest).
    """

    version: tuple[int, ...] | None = None
    prerelease: str | None = None
    api: tuple[int, ...] | None = None

    def at_least(self, *version: int) -> bool:
        """Tell whether the client is known and not older than ``version``."""
        return self.version is not None and self.version >= version

    def api_at_least(self, *version: int) -> bool:
        """Tell whether the API version asked for is absent (newest) or not older."""
        return self.api is None or self.api >= version

    @property
    def knows_pauses(self) -> bool:
        """Tell whether the client's API has the bookkeeping of pauses."""
        return self.api_at_least(0, 8, 4)

    @property
    def retries_task_runs(self) -> bool:
        """Tell whether the client starts failed task runs afresh by itself when a flow retries."""
        return self.api_at_least(0, 8, 3)


class DeploymentLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Which concurrency limit a run's deployment has, and what to do when it is full.

    The limit itself is read by the rules that take and give back its slots.
    """

    id: str
    collision_strategy: str = "ENQUEUE"
    grace_period_seconds: int | None = None


class FlowRunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a flow run that rules decide on."""

    id: str
    deployment_id: str | None = None
    deployment_found: bool = False
    deployment_limit: DeploymentLimit | None = None
    parent_task_run_id: str | None = None
    infrastructure_pid: str | None = None
    work_queue_id: str | None = None
    run_count: int = 0
    policy: FlowRunPolicy = FlowRunPolicy()
    start_time: datetime | None = None
    end_time: datetime | None = None
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None
    total_run_time: float = 0.0


class TaskRunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a task run, and of the flow run around it, that rules decide on."""

    id: str
    flow_run_id: str | None = None
    flow_run_found: bool = False
    flow_run_state: State | None = None
    flow_run_count: int = 0
    tags: tuple[str, ...] = ()
    run_count: int = 0
    flow_run_run_count: int = 0
    policy: TaskRunPolicy = TaskRunPolicy()
    start_time: datetime | None = None
    end_time: datetime | None = None
    expected_start_time: datetime | None = None
    next_scheduled_start_time: datetime | None = None
    total_run_time: float = 0.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that rules read; seconds unless said otherwise."""

    concurrency_slot_wait: float = 30.0
    """How long a run that found no deployment slot is put back."""
    deployment_lease: int = 300
    """How long a slot is held for a run that has not started yet."""
    tag_slot_wait: float = 10.0
    """How long a task run that found no tag slot waits at most."""
    max_cache_key_length: int = 2000
    """Characters of a cache key that are still stored."""


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal for one run.  Rules read it; nothing is mutated.

    ``flow_run`` or ``task_run`` is set, never both.  ``chance`` is drawn once, in [0, 1).
    ``change`` is what earlier rules already changed on the run.
    """

    initial: State | None
    proposed: Proposal
    now: datetime
    flow_run: FlowRunFacts | None = None
    task_run: TaskRunFacts | None = None
    client: Client = Client()
    limits: Limits = Limits()
    chance: float = 0.5
    change: RunChange = NO_CHANGE

    @property
    def pair(self) -> tuple[StateType | None, StateType]:
        """The types this transition leads from and to."""
        return (self.initial.type if self.initial else None, self.proposed.type)

    @property
    def run(self) -> FlowRunFacts:
        """The flow run; for rules that stand in flow-run policies only."""
        if self.flow_run is None:
            message = "a rule for flow runs was asked about a task run"
            raise TypeError(message)
        return self.flow_run

    @property
    def task(self) -> TaskRunFacts:
        """The task run; for rules that stand in task-run policies only."""
        if self.task_run is None:
            message = "a rule for task runs was asked about a flow run"
            raise TypeError(message)
        return self.task_run

    @property
    def policy(self) -> FlowRunPolicy:
        """The flow run's policy with what earlier rules changed."""
        return self.change.policy or self.run.policy
