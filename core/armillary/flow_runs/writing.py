"""Writing what was decided about flow runs: states, derived columns, events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import product

import msgspec

from armillary.clock import maybe_micros, to_micros
from armillary.db.unit import Unit
from armillary.events.envelope import Event
from armillary.flow_runs.events import RunContext, state_changed
from armillary.orchestration.derive import DerivedColumns
from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.states import State, StateType
from armillary.orchestration.transition import FlowRunFacts
from armillary.orchestration.wire import stored_details

_INSERT_STATE = """
insert into flow_run_state (id, flow_run_id, type, name, timestamp, message, data, details)
values (?, ?, ?, ?, ?, ?, ?, ?)
"""
_TIMES = ("start_time", "end_time", "expected_start_time", "next_scheduled_start_time")
_Moved = tuple[bool, bool, bool, bool]
_EITHER = (False, True)
_ALL: _Moved = (True, True, True, True)


def _update_of(moved: _Moved) -> str:
    times = "".join(f" {name} = ?," for name, has in zip(_TIMES, moved, strict=True) if has)
    return f"""
update flow_run set updated = ?, state_id = ?, state_type = ?, state_name = ?,
  state_timestamp = ?,{times} total_run_time = ?, run_count = ?
where id = ?
"""


_UPDATES = {moved: _update_of(moved) for moved in product(_EITHER, _EITHER, _EITHER, _EITHER)}
"""By the times that are other than before."""
_UPDATE_POLICY = "update flow_run set empirical_policy = ?, retry_type = ? where id = ?"
_UPDATE_TAGS = """
update flow_run_tag set state_type = ?, state_name = ?, started = ? where flow_run_id = ?
"""
_encode = msgspec.json.Encoder().encode


class FlowRunWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One decided transition, ready to be written."""

    workspace: int
    run_id: str
    context: RunContext
    initial: State | None
    state: State
    intended: tuple[StateType | None, StateType]
    columns: DerivedColumns
    before: FlowRunFacts
    policy: FlowRunPolicy | None


async def write_states(unit: Unit, writes: Sequence[FlowRunWrite]) -> None:
    """Insert the new states, update the runs, and announce each change."""
    await insert_states(unit, writes)
    updates: dict[_Moved, list[tuple[object, ...]]] = {}
    for write in writes:
        moved = _moved(write) if unit.narrow else _ALL
        updates.setdefault(moved, []).append(_update(unit.micros, write, moved))
    for moved, rows in updates.items():
        await unit.many(_UPDATES[moved], rows)
    tagged = [(*in_tags(write), write.run_id) for write in writes if write.context.tags]
    if tagged:
        await unit.many(_UPDATE_TAGS, tagged)
    policies = [
        (policy_text(write.policy), write.policy.retry_type, write.run_id)
        for write in writes
        if write.policy is not None
    ]
    if policies:
        await unit.many(_UPDATE_POLICY, policies)
    announce(unit, writes)


async def insert_states(unit: Unit, writes: Sequence[FlowRunWrite]) -> None:
    """Insert the new states."""
    await unit.many(_INSERT_STATE, [state_row(write.run_id, write.state) for write in writes])


def announce(unit: Unit, writes: Sequence[FlowRunWrite]) -> None:
    """Put the events of these changes into the outbox."""
    received = unit.now
    for write in writes:
        event = announced(write, received)
        unit.emit(event.emitted(), workspace=write.workspace)


def announced(write: FlowRunWrite, received: datetime) -> Event:
    """Describe one change as an event."""
    return state_changed(
        write.run_id,
        write.context,
        initial=write.initial,
        state=write.state,
        intended=write.intended,
        run_count=write.columns.run_count,
        received=received,
    )


def state_row(run_id: str, state: State) -> tuple[object, ...]:
    """Shape a state for its table; the tables of both kinds of run agree."""
    return (
        state.id,
        run_id,
        str(state.type),
        state.name,
        to_micros(state.timestamp),
        state.message,
        None if state.data is None else bytes(state.data).decode(),
        stored_details(state.details),
    )


def in_tags(write: FlowRunWrite) -> tuple[object, ...]:
    """Say what the side table of tags repeats of a run: its state, and when it started."""
    started = write.columns.start_time or write.columns.expected_start_time
    return (str(write.state.type), write.state.name, maybe_micros(started))


def policy_text(policy: FlowRunPolicy) -> str:
    """Encode a policy for its column."""
    return _encode(policy).decode()


def _moved(write: FlowRunWrite) -> _Moved:
    before, columns = write.before, write.columns
    return (
        columns.start_time != before.start_time,
        columns.end_time != before.end_time,
        columns.expected_start_time != before.expected_start_time,
        columns.next_scheduled_start_time != before.next_scheduled_start_time,
    )


def _update(micros: int, write: FlowRunWrite, moved: _Moved) -> tuple[object, ...]:
    columns, state = write.columns, write.state
    start, end, expected, following = moved
    return (
        micros,
        state.id,
        str(state.type),
        state.name,
        to_micros(state.timestamp),
        *((maybe_micros(columns.start_time),) if start else ()),
        *((maybe_micros(columns.end_time),) if end else ()),
        *((maybe_micros(columns.expected_start_time),) if expected else ()),
        *((maybe_micros(columns.next_scheduled_start_time),) if following else ()),
        columns.total_run_time,
        columns.run_count,
        write.run_id,
    )


async def write_policy(unit: Unit, run_id: str, policy: FlowRunPolicy | None) -> None:
    """Store a policy that changed although the run stays in its state."""
    if policy is not None:
        await unit.run(_UPDATE_POLICY, policy_text(policy), policy.retry_type, run_id)
