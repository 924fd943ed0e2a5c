"""What a client reports about a task run: an event read into a state and the run's columns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from armillary.clock import to_micros
from armillary.errors import Invalid
from armillary.events.schemas import RESOURCE_ID, ROLE, InEvent, without_nul
from armillary.orchestration.policies import TaskRunPolicy
from armillary.orchestration.states import StateDetails
from armillary.orchestration.wire import CreateState, in_utc
from armillary.task_runs.schemas import MAX_KEY

_log = logging.getLogger("armillary.task_runs")

PREFIX = "prefect.task-run"
_RUN = "prefect.task-run."
_FLOW_RUN = "prefect.flow-run."
UNSET = msgspec.UNSET
_NULL = b"null"
_encode = msgspec.json.Encoder().encode

FIELDS = (
    "name", "flow_run_id", "task_key", "dynamic_key", "cache_key", "cache_expiration",
    "task_version", "run_count", "flow_run_run_count", "expected_start_time",
    "next_scheduled_start_time", "start_time", "end_time", "total_run_time", "empirical_policy",
    "task_inputs", "tags", "labels",
)  # fmt: skip
"""The columns a report may carry, in the order of :attr:`Report.values`."""
DEFAULTS: tuple[object, ...] = (
    "", None, "", "", None, None, None, 0, 0, None, None, None, None, 0.0,
    _encode(TaskRunPolicy()).decode(), "{}", "[]", "{}",
)  # fmt: skip


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One reported change of one task run's state.

    ``values`` are columns in the order of :data:`FIELDS`, UNSET for what the event leaves out.
    """

    workspace: int
    event_id: str
    occurred: int
    run_id: str
    flow_run_id: str | None
    task_key: str
    dynamic_key: str
    values: Sequence[object]
    state_type: str
    state_name: str
    message: str | None
    data: str | None
    details: StateDetails

    @property
    def natural(self) -> tuple[str, str, str] | None:
        """What identifies a run of a flow run, whatever its id."""
        if self.flow_run_id is None:
            return None
        return (self.flow_run_id, self.task_key, self.dynamic_key)

    def state_row(self, run_id: str) -> tuple[object, ...]:
        """Shape the state for its table, as one of the run ``run_id``."""
        details = msgspec.structs.replace(
            self.details, task_run_id=run_id, flow_run_id=self.flow_run_id
        )
        return (
            self.event_id, run_id, self.state_type, self.state_name, self.occurred, self.message,
            self.data, _encode(details).decode(),
        )  # fmt: skip


_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class _TaskRun(msgspec.Struct, kw_only=True):
    task_key: str
    dynamic_key: str
    name: str | msgspec.UnsetType | None = UNSET
    cache_key: str | msgspec.UnsetType | None = UNSET
    cache_expiration: datetime | msgspec.UnsetType | None = UNSET
    task_version: str | msgspec.UnsetType | None = UNSET
    run_count: _Count | msgspec.UnsetType | None = UNSET
    flow_run_run_count: _Count | msgspec.UnsetType | None = UNSET
    expected_start_time: datetime | msgspec.UnsetType | None = UNSET
    next_scheduled_start_time: datetime | msgspec.UnsetType | None = UNSET
    start_time: datetime | msgspec.UnsetType | None = UNSET
    end_time: datetime | msgspec.UnsetType | None = UNSET
    total_run_time: _Seconds | msgspec.UnsetType | None = UNSET
    empirical_policy: TaskRunPolicy | msgspec.UnsetType | None = UNSET
    task_inputs: dict[str, msgspec.Raw] | msgspec.UnsetType | None = UNSET
    tags: list[str] | msgspec.UnsetType | None = UNSET
    labels: dict[str, msgspec.Raw] | msgspec.UnsetType | None = UNSET


class _Payload(msgspec.Struct):
    validated_state: CreateState
    task_run: _TaskRun


_decode = msgspec.json.Decoder(_Payload, strict=False).decode


def is_reported(event: InEvent) -> bool:
    """Tell whether an event is a task run's state that its client decided."""
    by_client = event.resource.get("prefect.orchestration") == "client"
    return by_client and event.event.startswith(PREFIX)


def report_of(workspace: int, event: InEvent) -> Report | None:
    """Read an event; one that cannot be read is left out with a line in the log."""
    try:
        return _report(workspace, event)
    except (msgspec.DecodeError, ValueError, Invalid, RecursionError) as error:
        _log.warning("the event %s (%s) says nothing of a task run: %s",
                     event.id, event.event[:100], error)  # fmt: skip
        return None


def _report(workspace: int, event: InEvent) -> Report:
    payload = _decode(without_nul(bytes(event.payload)))
    run = payload.task_run
    for key in (run.task_key, run.dynamic_key):
        if len(key.encode()) > MAX_KEY:
            message = f"its key is longer than {MAX_KEY} bytes"
            raise ValueError(message)
    occurred = in_utc(event.occurred)
    state = payload.validated_state.proposal(occurred)
    data = bytes(payload.validated_state.data)
    flow_run_id = _flow_run_id(event)
    return Report(
        workspace=workspace,
        event_id=event.id,
        occurred=to_micros(occurred),
        run_id=_id_after(_RUN, event.resource[RESOURCE_ID]),
        flow_run_id=flow_run_id,
        task_key=run.task_key,
        dynamic_key=run.dynamic_key,
        values=_columns(run, flow_run_id),
        state_type=str(state.type),
        state_name=state.name,
        message=state.message,
        data=None if data == _NULL else data.decode(),
        details=state.details,
    )


def _columns(run: _TaskRun, flow_run_id: str | None) -> tuple[object, ...]:
    """Shape what is given for the database, in the order of :data:`FIELDS`."""
    return (
        _given(run.name),
        flow_run_id,
        run.task_key,
        run.dynamic_key,
        run.cache_key,
        _micros(run.cache_expiration),
        run.task_version,
        _given(run.run_count),
        _given(run.flow_run_run_count),
        _micros(run.expected_start_time),
        _micros(run.next_scheduled_start_time),
        _micros(run.start_time),
        _micros(run.end_time),
        _given(run.total_run_time),
        _json(run.empirical_policy),
        _json(run.task_inputs),
        _json(run.tags),
        _json(run.labels),
    )


def _given(value: object) -> object:
    """Take null for absent, where the column is never null."""
    return UNSET if value is None else value


def _micros(moment: datetime | msgspec.UnsetType | None) -> object:
    return to_micros(in_utc(moment)) if isinstance(moment, datetime) else moment


def _json(value: object) -> object:
    return UNSET if value is None or value is UNSET else _encode(value).decode()


def _flow_run_id(event: InEvent) -> str | None:
    for resource in event.related or ():
        if resource[ROLE] == "flow-run":
            return _id_after(_FLOW_RUN, resource[RESOURCE_ID])
    return None


def _id_after(prefix: str, resource_id: str) -> str:
    """Take the canonical id out of a resource id; ValueError if there is none."""
    if not resource_id.startswith(prefix):
        message = f"{resource_id[:100]!r} does not begin with {prefix!r}"
        raise ValueError(message)
    return str(UUID(resource_id[len(prefix) :]))
