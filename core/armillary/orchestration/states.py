"""What a run's state is: its type, its details, and the chart of types.

::

              ┌──────────────────────────────┐
              ▼                              │ retry, resume of a suspension
    ──▶ SCHEDULED ──▶ PENDING ──▶ RUNNING ───┤
              │           │       │  ▲  │    │
              │           │       ▼  │  │    │
              │           │      PAUSED │    │
              ▼           ▼       ▼     ▼    │
          CANCELLED ◀── CANCELLING    COMPLETED · FAILED · CRASHED

Terminal are COMPLETED, FAILED, CANCELLED and CRASHED.  Which arrow is taken is decided by
the rules alone; the names of states are free text on top of the type.
Source: the state model of the Prefect 3 API.
"""

from __future__ import annotations

import enum
from datetime import datetime
from uuid import UUID

import msgspec


class StateType(enum.StrEnum):
    """The nine kinds a state can be of.

    ``str(kind)`` is its text; ``kind.value`` is the same, through two calls more.
    """

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"


TERMINAL = frozenset(
    {StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED}
)
ANY = frozenset(StateType)
ANY_OR_NONE: frozenset[StateType | None] = frozenset({*StateType, None})

DEFAULT_NAMES = {kind: kind.value.capitalize() for kind in StateType}


class StateDetails(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a state carries beside type, name and message; stored without its defaults."""

    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    child_flow_run_id: UUID | None = None
    scheduled_time: datetime | None = None
    cache_key: str | None = None
    cache_expiration: datetime | None = None
    deferred: bool | None = False
    untrackable_result: bool | None = False
    pause_timeout: datetime | None = None
    pause_reschedule: bool | None = False
    pause_key: str | None = None
    run_input_keyset: dict[str, str] | None = None
    refresh_cache: bool | None = None
    retriable: bool | None = None
    transition_id: UUID | None = None
    task_parameters_id: UUID | None = None
    traceparent: str | None = None
    deployment_concurrency_lease_id: UUID | None = None

    def __post_init__(self) -> None:
        """Clients send null for what is false by default."""
        if self.deferred is None:
            msgspec.structs.force_setattr(self, "deferred", False)
        if self.untrackable_result is None:
            msgspec.structs.force_setattr(self, "untrackable_result", False)
        if self.pause_reschedule is None:
            msgspec.structs.force_setattr(self, "pause_reschedule", False)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A state somebody wants a run to have: a state before it has an id and a time.

    ``data`` is any JSON as it came, or None.
    """

    type: StateType
    name: str
    message: str | None = None
    data: msgspec.Raw | None = None
    details: StateDetails = StateDetails()

    @property
    def persisted(self) -> bool:
        """Whether the data refers to a result that somebody can still read."""
        return is_persisted(self.data)

    def detailed(self, **details: object) -> Proposal:
        """Return this proposal with some of its details replaced."""
        return msgspec.structs.replace(
            self, details=msgspec.structs.replace(self.details, **details)
        )


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A state a run has or had."""

    id: str
    type: StateType
    name: str
    timestamp: datetime
    message: str | None = None
    data: msgspec.Raw | None = None
    details: StateDetails = StateDetails()

    @property
    def persisted(self) -> bool:
        """Whether the data refers to a result that somebody can still read."""
        return is_persisted(self.data)


class _Marker(msgspec.Struct):
    type: object = None


def is_persisted(data: msgspec.Raw | None) -> bool:
    """Tell whether a state's data is an object that is not the ``unpersisted`` marker."""
    if data is None or not bytes(data).lstrip().startswith(b"{"):
        return False
    return msgspec.json.decode(data, type=_Marker).type != "unpersisted"


def propose(
    kind: StateType,
    *,
    name: str | None = None,
    message: str | None = None,
    data: msgspec.Raw | None = None,
    details: StateDetails | None = None,
) -> Proposal:
    """Make a proposal whose name defaults to the type's."""
    return Proposal(
        type=kind,
        name=name or DEFAULT_NAMES[kind],
        message=message,
        data=data,
        details=details or StateDetails(),
    )
