"""Task runs as clients send them and as they are answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from armillary.api import Body, OrDefault
from armillary.clock import from_micros, maybe_moment
from armillary.db.unit import Row
from armillary.errors import Invalid
from armillary.flow_runs.reading import estimated_run_time, lateness
from armillary.orchestration.policies import TaskRunPolicy
from armillary.orchestration.wire import CreateState, WireState, wire_from_row

MAX_KEY = 1000
"""Bytes of a task key or dynamic key: both are in one index, and PostgreSQL limits its rows."""
MAX_RETRY_DELAYS = 50

COLUMNS = """
r.id, r.created, r.updated, r.name, r.flow_run_id, r.task_key, r.dynamic_key, r.cache_key,
r.cache_expiration, r.task_version, r.empirical_policy, r.tags, r.labels, r.state_id,
r.task_inputs, r.state_type, r.state_name, r.run_count, r.flow_run_run_count,
r.expected_start_time, r.next_scheduled_start_time, r.start_time, r.end_time, r.total_run_time,
r.state_timestamp, s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details
"""
"""What :func:`task_run_from_row` reads, from ``task_run r`` and :data:`JOINS`."""
JOINS = "left join task_run_state s on s.id = r.state_id and s.task_run_id = r.id"


class CreateTaskRun(Body, kw_only=True):
    """A task run to create."""

    id: UUID | None = None
    state: CreateState | None = None
    name: str | None = None
    flow_run_id: UUID | None = None
    task_key: str
    dynamic_key: str
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    task_version: str | None = None
    empirical_policy: OrDefault[TaskRunPolicy] = TaskRunPolicy()
    tags: OrDefault[list[str]] = msgspec.field(default_factory=list)
    labels: OrDefault[dict[str, msgspec.Raw]] = msgspec.field(default_factory=dict)
    task_inputs: OrDefault[dict[str, list[msgspec.Raw]]] = msgspec.field(default_factory=dict)


class UpdateTaskRun(Body):
    """Changes to a task run; what is absent stays."""

    name: str | None = None


class SetTaskRunState(Body):
    """A state proposed for a task run; ``force`` leaves the rules aside."""

    state: CreateState
    force: OrDefault[bool] = False


class StatesQuery(msgspec.Struct, frozen=True):
    """Whose states to list."""

    task_run_id: UUID


class TaskRun(msgspec.Struct, frozen=True, kw_only=True):
    """A task run as answered: every key, always."""

    id: str
    created: datetime
    updated: datetime
    name: str
    flow_run_id: str | None
    task_key: str
    dynamic_key: str
    cache_key: str | None
    cache_expiration: datetime | None
    task_version: str | None
    empirical_policy: msgspec.Raw
    tags: msgspec.Raw
    labels: msgspec.Raw
    state_id: str | None
    task_inputs: msgspec.Raw
    state_type: str | None
    state_name: str | None
    run_count: int
    flow_run_run_count: int
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float
    estimated_run_time: float
    estimated_start_time_delta: float
    state: WireState | None


def task_run_from_row(row: Row, *, now: int) -> TaskRun:
    """Shape a row of :data:`COLUMNS`; ``now`` is in microseconds."""
    return TaskRun(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        flow_run_id=row[4],
        task_key=row[5],
        dynamic_key=row[6],
        cache_key=row[7],
        cache_expiration=maybe_moment(row[8]),
        task_version=row[9],
        empirical_policy=msgspec.Raw(row[10].encode()),
        tags=msgspec.Raw(row[11].encode()),
        labels=msgspec.Raw(row[12].encode()),
        state_id=row[13],
        task_inputs=msgspec.Raw(row[14].encode()),
        state_type=row[15],
        state_name=row[16],
        run_count=row[17],
        flow_run_run_count=row[18],
        expected_start_time=maybe_moment(row[19]),
        next_scheduled_start_time=maybe_moment(row[20]),
        start_time=maybe_moment(row[21]),
        end_time=maybe_moment(row[22]),
        total_run_time=row[23],
        estimated_run_time=estimated_run_time(row[23], row[15], row[24], now=now),
        estimated_start_time_delta=lateness(row[21], row[19], row[15], now=now),
        state=wire_from_row(row[25:32]),
    )


def check_policy(policy: TaskRunPolicy) -> TaskRunPolicy:
    """Refuse more retry delays than anybody needs, and a jitter below zero."""
    delays = policy.retry_delay
    if isinstance(delays, list) and len(delays) > MAX_RETRY_DELAYS:
        message = f"A task run can have at most {MAX_RETRY_DELAYS} retry delays, not {len(delays)}."
        raise Invalid(message, loc=("body", "empirical_policy", "retry_delay"))
    if policy.retry_jitter_factor is not None and policy.retry_jitter_factor < 0:
        message = "The retry jitter factor must be 0 or more."
        raise Invalid(message, loc=("body", "empirical_policy", "retry_jitter_factor"))
    return policy


def check_key(name: str, key: str) -> str:
    """Refuse a key that no index takes."""
    if len(key.encode()) > MAX_KEY:
        message = f"The member {name} is longer than {MAX_KEY} bytes, which is the limit."
        raise Invalid(message, loc=("body", name))
    return key
