"""Work pools, queues and workers as sent and as answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from armillary.api import Body, OrDefault

Count: TypeAlias = Annotated[int, Meta(ge=0, lt=2**31)]
Place: TypeAlias = Annotated[int, Meta(ge=1, le=2**30)]
"""A priority: with room above it, for queues that are moved up."""
Seconds: TypeAlias = Annotated[int, Meta(ge=1, lt=2**31)]

QUEUE_POLLED_WITHIN = 60.0
"""Seconds since its last poll for which a queue counts as polled."""


class StorageConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """How bundles reach a pool and where its results are kept."""

    bundle_upload_step: msgspec.Raw = msgspec.Raw(b"null")
    bundle_execution_step: msgspec.Raw = msgspec.Raw(b"null")
    default_result_storage_block_id: UUID | None = None


class CreateWorkPool(Body, kw_only=True):
    """A work pool to create."""

    name: str
    description: str | None = None
    type: OrDefault[str] = "prefect-agent"
    base_job_template: OrDefault[dict[str, msgspec.Raw]] = {}
    is_paused: OrDefault[bool] = False
    concurrency_limit: Count | None = None
    storage_configuration: OrDefault[StorageConfiguration] = StorageConfiguration()


class UpdateWorkPool(Body, kw_only=True):
    """Changes to a work pool; what is absent stays."""

    description: str | msgspec.UnsetType | None = msgspec.UNSET
    is_paused: bool | msgspec.UnsetType | None = msgspec.UNSET
    base_job_template: dict[str, msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    concurrency_limit: Count | msgspec.UnsetType | None = msgspec.UNSET
    storage_configuration: StorageConfiguration | msgspec.UnsetType | None = msgspec.UNSET


class WorkPool(msgspec.Struct, frozen=True, kw_only=True):
    """A work pool as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    description: str | None
    type: str
    base_job_template: msgspec.Raw
    is_paused: bool
    concurrency_limit: int | None
    status: str | None
    default_queue_id: str | None
    storage_configuration: msgspec.Raw
    active_slots: int | None


class QueueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the oldest queues choose their runs by, whichever queue those are in."""

    tags: list[str] | None = None
    deployment_ids: list[UUID] | None = None


class CreateWorkQueue(Body, kw_only=True):
    """A work queue to create."""

    name: str
    description: OrDefault[str] = ""
    is_paused: OrDefault[bool] = False
    concurrency_limit: Count | None = None
    priority: Place | None = None
    filter: QueueFilter | None = None


class UpdateWorkQueue(Body, kw_only=True):
    """Changes to a work queue; what is absent stays."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    is_paused: bool | msgspec.UnsetType | None = msgspec.UNSET
    concurrency_limit: Count | msgspec.UnsetType | None = msgspec.UNSET
    priority: Place | msgspec.UnsetType | None = msgspec.UNSET
    last_polled: datetime | msgspec.UnsetType | None = msgspec.UNSET
    filter: QueueFilter | msgspec.UnsetType | None = msgspec.UNSET


class WorkQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A work queue as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    description: str | None
    is_paused: bool
    concurrency_limit: int | None
    priority: int
    work_pool_id: str | None
    filter: msgspec.Raw
    last_polled: datetime | None
    work_pool_name: str | None
    status: str | None
    active_slots: int | None


class Heartbeat(Body, kw_only=True):
    """A worker says that it lives."""

    name: str
    heartbeat_interval_seconds: Seconds | None = None


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    work_pool_id: str
    last_heartbeat_time: datetime | None
    heartbeat_interval_seconds: int | None
    status: str


class GetScheduledRuns(Body, kw_only=True):
    """Which runs a worker would take."""

    work_queue_names: list[str] | None = None
    scheduled_before: datetime | None = None
    scheduled_after: datetime | None = None
    limit: int | None = None


class GetQueueRuns(Body, kw_only=True):
    """Which runs an agent would take from one queue."""

    limit: int | None = None
    scheduled_before: datetime | None = None
    agent_id: UUID | None = None


class PollableRun(msgspec.Struct, frozen=True, kw_only=True):
    """A flow run as workers are given it: ``state`` is always null."""

    id: str
    created: datetime
    updated: datetime
    name: str
    flow_id: str
    state_id: str | None
    deployment_id: str | None
    deployment_version: str | None
    work_queue_name: str | None
    flow_version: str | None
    parameters: msgspec.Raw
    idempotency_key: str | None
    context: msgspec.Raw
    empirical_policy: msgspec.Raw
    tags: msgspec.Raw
    labels: msgspec.Raw
    parent_task_run_id: str | None
    state_type: str | None
    state_name: str | None
    run_count: int
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float
    estimated_run_time: float
    estimated_start_time_delta: float
    auto_scheduled: bool
    infrastructure_document_id: str | None
    infrastructure_pid: str | None
    created_by: msgspec.Raw
    work_queue_id: str | None
    state: None
    job_variables: msgspec.Raw


class WorkerRun(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to a poll."""

    work_pool_id: str
    work_queue_id: str
    flow_run: PollableRun


class QueueHealthPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a queue counts as healthy."""

    maximum_late_runs: int = 0
    maximum_seconds_since_last_polled: int = 60


class QueueStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a queue does."""

    healthy: bool
    late_runs_count: int
    last_polled: datetime | None
    health_check_policy: QueueHealthPolicy


class SlotHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A run that takes a slot; times in seconds."""

    id: str
    name: str
    state_type: str | None
    state_name: str | None
    start_time: datetime | None
    state_timestamp: datetime | None
    time_in_current_state: float | None


class QueueSlots(msgspec.Struct, frozen=True, kw_only=True):
    """The slots of one queue of a pool."""

    queue_id: str
    queue_name: str
    active_slots: int
    concurrency_limit: int | None
    flow_runs: list[SlotHolder]
    flow_run_count: int


class PoolConcurrency(msgspec.Struct, frozen=True, kw_only=True):
    """The slots of a pool, by queue, in pages of queues."""

    active_slots: int
    concurrency_limit: int | None
    queues: list[QueueSlots]
    count: int
    limit: int
    pages: int
    page: int


class QueueConcurrency(msgspec.Struct, frozen=True, kw_only=True):
    """The slots of a queue, in pages of runs."""

    active_slots: int
    concurrency_limit: int | None
    flow_runs: list[SlotHolder]
    count: int
    limit: int
    pages: int
    page: int


class GetQueueConcurrency(Body, kw_only=True):
    """Which page of the runs that take a queue's slots to show."""

    page: OrDefault[int] = 1
    limit: int | None = None


class GetPoolConcurrency(GetQueueConcurrency, kw_only=True):
    """Which page of a pool's queues to show, and how many runs of each."""

    flow_run_limit: OrDefault[Annotated[int, Meta(ge=0, le=200)]] = 10
