"""States and outcomes as they travel: what a client proposes, and what it is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from armillary.api import Body, OrDefault
from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary.errors import Invalid
from armillary.orchestration.decision import Outcome
from armillary.orchestration.states import (
    DEFAULT_NAMES,
    Proposal,
    State,
    StateDetails,
    StateType,
    is_persisted,
)
from armillary.orchestration.verdicts import Abort, Reject, Status, Wait

NULL = msgspec.Raw(b"null")
_LABELS = ("artifact_key", "artifact_type", "artifact_description")
"""What old clients put into a result to label it, which is no part of it."""


class CreateState(Body):
    """A state a client proposes."""

    type: StateType
    name: str | None = None
    message: str | None = None
    data: msgspec.Raw = NULL  # in a union msgspec takes Raw for nothing
    state_details: OrDefault[StateDetails] = StateDetails()

    def proposal(self, now: datetime) -> Proposal:
        """Turn it into what rules decide on: names filled in, times in UTC."""
        details = _in_utc(self.state_details)
        if self.type is StateType.SCHEDULED and details.scheduled_time is None:
            details = msgspec.structs.replace(details, scheduled_time=now)
        return Proposal(
            type=self.type,
            name=self.name or DEFAULT_NAMES[self.type],
            message=self.message,
            data=kept_data(self.data),
            details=details,
        )


def kept_data(data: msgspec.Raw | None) -> msgspec.Raw | None:
    """Drop null, the marker of a result that was not persisted, and labels of one that was."""
    if data is None or bytes(data) == b"null":
        return None
    if not bytes(data).lstrip().startswith(b"{"):
        return data
    if not is_persisted(data):
        return None
    return _unlabelled(data) if b'"artifact_' in bytes(data) else data


def _unlabelled(data: msgspec.Raw) -> msgspec.Raw:
    members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    kept = {name: value for name, value in members.items() if name not in _LABELS}
    return msgspec.Raw(msgspec.json.encode(kept))


_MOMENTS = ("scheduled_time", "cache_expiration", "pause_timeout")


def _in_utc(details: StateDetails) -> StateDetails:
    moved = {
        name: in_utc(moment)
        for name in _MOMENTS
        if (moment := getattr(details, name)) is not None and moment.tzinfo is not UTC
    }
    return msgspec.structs.replace(details, **moved) if moved else details


def in_utc(moment: datetime) -> datetime:
    """Move a time a client sent to UTC; one without a zone is taken to be in UTC.

    Raises Invalid where it lies before the year 1 or after the year 9999 there.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        message = f"The time {moment.isoformat()} is out of range: in UTC no calendar has it."
        raise Invalid(message, kind="datetime_parsing") from error


class WireDetails(msgspec.Struct, frozen=True, kw_only=True):
    """State details as answered: every key, always."""

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


_decode_wire_details = msgspec.json.Decoder(WireDetails).decode
_decode_details = msgspec.json.Decoder(StateDetails).decode
_encode = msgspec.json.Encoder().encode


class WireState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A state as answered.  Nothing in it leads back to it: no ``gc``."""

    id: str
    type: str
    name: str
    timestamp: datetime
    message: str | None
    data: msgspec.Raw
    state_details: WireDetails


def stored_details(details: StateDetails) -> str:
    """Encode details for the database, without what is at its default."""
    return _encode(details).decode()


def state_from_row(row: Row) -> State | None:
    """Read a state from the columns ``id type name timestamp message data details``."""
    if row[0] is None:
        return None
    return State(
        id=row[0],
        type=StateType(row[1]),
        name=row[2],
        timestamp=from_micros(row[3]),
        message=row[4],
        data=None if row[5] is None else msgspec.Raw(row[5].encode()),
        details=_decode_details(row[6]),
    )


def wire_from_row(row: Row) -> WireState | None:
    """Read a state straight into its answer, from the same columns."""
    if row[0] is None:
        return None
    return WireState(
        id=row[0],
        type=row[1],
        name=row[2],
        timestamp=from_micros(row[3]),
        message=row[4],
        data=NULL if row[5] is None else msgspec.Raw(row[5].encode()),
        state_details=_decode_wire_details(row[6]),
    )


def to_wire(state: State) -> WireState:
    """Answer with a state."""
    return WireState(
        id=state.id,
        type=str(state.type),
        name=state.name,
        timestamp=state.timestamp,
        message=state.message,
        data=state.data if state.data is not None else NULL,
        state_details=_decode_wire_details(_encode(state.details)),
    )


class AcceptDetails(msgspec.Struct, frozen=True):
    """Nothing to add."""

    type: Literal["accept_details"] = "accept_details"


class RejectDetails(msgspec.Struct, frozen=True):
    """Why another state, or none, was taken."""

    reason: str
    type: Literal["reject_details"] = "reject_details"


class WaitDetails(msgspec.Struct, frozen=True):
    """How many seconds to wait before asking again."""

    delay_seconds: int
    reason: str
    type: Literal["wait_details"] = "wait_details"


class AbortDetails(msgspec.Struct, frozen=True):
    """Why the run must not go on."""

    reason: str
    type: Literal["abort_details"] = "abort_details"


Details: TypeAlias = AcceptDetails | RejectDetails | WaitDetails | AbortDetails


class OrchestrationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a proposal."""

    state: WireState | None
    status: Status
    details: Any


ACCEPTED = AcceptDetails()


def details_of(outcome: Outcome) -> Details:
    """Put an outcome's refusal, if any, into the shape of the answer."""
    match outcome.refusal:
        case None:
            return ACCEPTED
        case Reject(reason):
            return RejectDetails(reason)
        case Wait(seconds, reason):
            return WaitDetails(seconds, reason)
        case Abort(reason):
            return AbortDetails(reason)
