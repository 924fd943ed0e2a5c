"""Deployments and their schedules as sent and as answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from armillary.api import Body, OrDefault
from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.wire import CreateState

Runs: TypeAlias = Annotated[int, Meta(ge=0, le=1000)]
ABSENT = msgspec.Raw(b"")
"""A document that was not given: msgspec takes Raw inside a union for nothing."""


class ConcurrencyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a run that finds its deployment's limit reached."""

    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]
    grace_period_seconds: Annotated[int, Meta(ge=60, le=86_400)] | None = None


class CreateSchedule(Body, kw_only=True):
    """A schedule to add; ``schedule`` is told apart by its shape."""

    schedule: msgspec.Raw
    active: OrDefault[bool] = True
    max_scheduled_runs: int | None = None
    parameters: OrDefault[dict[str, msgspec.Raw]] = {}
    slug: str | None = None
    replaces: str | None = None


class UpdateSchedule(Body, kw_only=True):
    """Changes to a schedule, or one to add; what is absent stays."""

    schedule: msgspec.Raw = ABSENT
    active: bool | None = None
    max_scheduled_runs: int | UnsetType | None = UNSET
    parameters: dict[str, msgspec.Raw] | None = None
    slug: str | UnsetType | None = UNSET
    replaces: str | None = None


class DeploymentFields(Body, kw_only=True):
    """What can be given of a deployment, whether it is made or changed; absent is not given."""

    version: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    paused: bool | UnsetType | None = UNSET
    concurrency_limit: int | UnsetType | None = UNSET
    concurrency_options: ConcurrencyOptions | UnsetType | None = UNSET
    global_concurrency_limit_id: UUID | UnsetType | None = UNSET
    parameters: dict[str, msgspec.Raw] | UnsetType | None = UNSET
    parameter_openapi_schema: msgspec.Raw = ABSENT
    enforce_parameter_schema: bool | UnsetType | None = UNSET
    tags: list[str] | UnsetType | None = UNSET
    pull_steps: list[msgspec.Raw] | UnsetType | None = UNSET
    work_queue_name: str | UnsetType | None = UNSET
    work_pool_name: str | UnsetType | None = UNSET
    storage_document_id: UUID | UnsetType | None = UNSET
    infrastructure_document_id: UUID | UnsetType | None = UNSET
    path: str | UnsetType | None = UNSET
    entrypoint: str | UnsetType | None = UNSET
    job_variables: dict[str, msgspec.Raw] | UnsetType | None = UNSET


class CreateDeployment(DeploymentFields, kw_only=True):
    """A deployment to make, or, by flow and name, to change."""

    name: str
    flow_id: UUID
    schedules: OrDefault[list[CreateSchedule]] = []
    labels: OrDefault[dict[str, msgspec.Raw]] = {}


class UpdateDeployment(DeploymentFields, kw_only=True):
    """Changes to a deployment; what is absent stays."""

    schedules: list[UpdateSchedule] | UnsetType | None = UNSET


class DeploymentSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as answered."""

    id: str
    created: datetime
    updated: datetime
    deployment_id: str
    schedule: msgspec.Raw
    active: bool
    max_scheduled_runs: int | None
    parameters: msgspec.Raw
    slug: str | None


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    version: str | None
    description: str | None
    flow_id: str
    paused: bool
    schedules: list[DeploymentSchedule]
    concurrency_limit: int | None
    global_concurrency_limit: Any
    concurrency_options: msgspec.Raw
    job_variables: msgspec.Raw
    parameters: msgspec.Raw
    tags: msgspec.Raw
    labels: msgspec.Raw
    work_queue_name: str | None
    work_queue_id: str | None
    last_polled: datetime | None
    parameter_openapi_schema: msgspec.Raw
    path: str | None
    pull_steps: msgspec.Raw
    entrypoint: str | None
    storage_document_id: str | None
    infrastructure_document_id: str | None
    created_by: msgspec.Raw
    updated_by: msgspec.Raw
    work_pool_name: str | None
    status: str | None
    enforce_parameter_schema: bool


class CreateRun(Body, kw_only=True):
    """A run of a deployment to create."""

    state: CreateState | None = None
    name: str | None = None
    parameters: OrDefault[dict[str, msgspec.Raw]] = {}
    enforce_parameter_schema: bool | None = None
    context: OrDefault[dict[str, msgspec.Raw]] = {}
    infrastructure_document_id: UUID | None = None
    empirical_policy: OrDefault[FlowRunPolicy] = FlowRunPolicy()
    tags: OrDefault[list[str]] = []
    idempotency_key: str | None = None
    labels: OrDefault[dict[str, msgspec.Raw]] = {}
    parent_task_run_id: UUID | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, msgspec.Raw] | None = None


class CreateRunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one of many runs to create."""

    flow_run_id: str | None
    status: Literal["CREATED", "FAILED"]
    error: str | None


class GetScheduledRuns(Body, kw_only=True):
    """Which runs a runner that serves deployments would take."""

    deployment_ids: list[UUID]
    scheduled_before: datetime | None = None
    limit: int | None = None


class ScheduleNow(Body, kw_only=True):
    """How far ahead to create scheduled runs right away; times in seconds where not a moment."""

    start_time: datetime | None = None
    end_time: datetime | None = None
    min_time: Annotated[float, Meta(ge=0, le=8_640_000)] | None = None
    min_runs: Runs | None = None
    max_runs: Runs | None = None
