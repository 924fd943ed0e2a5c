"""Writing what was decided about a task run: its state and the columns that follow from it."""

from __future__ import annotations

import msgspec

from armillary.clock import maybe_micros, to_micros
from armillary.db.unit import Unit
from armillary.orchestration.derive import DerivedColumns
from armillary.orchestration.states import State
from armillary.orchestration.wire import stored_details

_INSERT_STATE = """
insert into task_run_state (id, task_run_id, type, name, timestamp, message, data, details)
values (?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE = """
update task_run set updated = ?, state_id = ?, state_type = ?, state_name = ?,
  state_timestamp = ?, start_time = ?, end_time = ?, expected_start_time = ?,
  next_scheduled_start_time = ?, total_run_time = ?, run_count = ?, flow_run_run_count = ?
where id = ?
"""
_UPDATE_COUNTS = """
update task_run set updated = ?, run_count = ?, flow_run_run_count = ? where id = ?
"""


class TaskRunWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One decided transition, ready to be written."""

    run_id: str
    state: State
    columns: DerivedColumns
    flow_run_run_count: int


async def write_state(unit: Unit, write: TaskRunWrite) -> None:
    """Insert the new state and update the run."""
    await insert_state(unit, write)
    columns, state = write.columns, write.state
    await unit.run(
        _UPDATE,
        unit.micros,
        state.id,
        str(state.type),
        state.name,
        to_micros(state.timestamp),
        maybe_micros(columns.start_time),
        maybe_micros(columns.end_time),
        maybe_micros(columns.expected_start_time),
        maybe_micros(columns.next_scheduled_start_time),
        columns.total_run_time,
        columns.run_count,
        write.flow_run_run_count,
        write.run_id,
    )


async def insert_state(unit: Unit, write: TaskRunWrite) -> None:
    """Insert the new state."""
    state = write.state
    await unit.run(
        _INSERT_STATE,
        state.id,
        write.run_id,
        str(state.type),
        state.name,
        to_micros(state.timestamp),
        state.message,
        None if state.data is None else bytes(state.data).decode(),
        stored_details(state.details),
    )


async def write_counts(unit: Unit, run_id: str, *, run_count: int, flow_run_run_count: int) -> None:
    """Store counts that changed although the run stays in its state."""
    await unit.run(_UPDATE_COUNTS, unit.micros, run_count, flow_run_run_count, run_id)
