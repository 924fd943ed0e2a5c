"""What clients send about flow runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from armillary.api import Body, OrDefault
from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.wire import CreateState

NO_OBJECT = msgspec.Raw(b"{}")


class CreateFlowRun(Body):
    """A flow run to create."""

    flow_id: UUID
    name: str | None = None
    state: CreateState | None = None
    flow_version: str | None = None
    parameters: OrDefault[dict[str, msgspec.Raw]] = {}
    context: OrDefault[dict[str, msgspec.Raw]] = {}
    parent_task_run_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    empirical_policy: OrDefault[FlowRunPolicy] = FlowRunPolicy()
    tags: OrDefault[list[str]] = []
    labels: OrDefault[dict[str, msgspec.Raw]] = {}
    idempotency_key: str | None = None
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, msgspec.Raw] | None = None
    deployment_id: UUID | None = None


class UpdateFlowRun(Body):
    """Changes to a flow run; what is absent stays."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    flow_version: str | msgspec.UnsetType | None = msgspec.UNSET
    parameters: dict[str, msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    empirical_policy: FlowRunPolicy | msgspec.UnsetType | None = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    infrastructure_pid: str | msgspec.UnsetType | None = msgspec.UNSET
    job_variables: dict[str, msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET


class SetState(Body):
    """A state proposed for a run; ``force`` leaves all but the guards of results aside."""

    state: CreateState
    force: OrDefault[bool] = False


class ResumeFlowRun(Body):
    """What a paused run is given when it goes on."""

    run_input: dict[str, msgspec.Raw] | None = None


class StatesQuery(msgspec.Struct, frozen=True):
    """Whose states to list."""

    flow_run_id: UUID


class CreateInput(Body):
    """A value stored with a flow run under a key."""

    key: str
    value: str
    sender: str | None = None


class FilterInputs(Body):
    """Which of a run's inputs to list."""

    prefix: str
    limit: OrDefault[Annotated[int, msgspec.Meta(ge=0, lt=2**31)]] = 1
    exclude_keys: OrDefault[list[str]] = []
