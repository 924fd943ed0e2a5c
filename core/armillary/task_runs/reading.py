"""Lists of task runs, their number and their history."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from armillary.db.filters import Condition, every
from armillary.db.listing import Order, Shape, Span, by_value, inner, outer
from armillary.db.unit import Reader
from armillary.history import Interval, Window, estimated_run_time, lateness, read_history
from armillary.orchestration.wire import WireState
from armillary.task_runs.criteria import TaskRunSelection
from armillary.task_runs.schemas import COLUMNS, JOINS, TaskRun, task_run_from_row

TaskRunSort: TypeAlias = Literal[
    "ID_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "NAME_ASC", "NAME_DESC",
    "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC",
]  # fmt: skip
ORDERS: dict[str, Order] = {
    "ID_DESC": Order("t.id", descending=True),
    "EXPECTED_START_TIME_ASC": Order("t.expected_start_time", descending=False),
    "EXPECTED_START_TIME_DESC": Order("t.expected_start_time", descending=True),
    "NAME_ASC": Order("t.name", descending=False),
    "NAME_DESC": Order("t.name", descending=True),
    "NEXT_SCHEDULED_START_TIME_ASC": Order(
        "t.next_scheduled_start_time", descending=False, nulls_last=True
    ),
    "END_TIME_DESC": Order("t.end_time", descending=True, nulls_last=True),
}
_FOUND = Shape("task_run", "t", "")
_SHOWN = Shape("task_run", "r", COLUMNS, JOINS)
_NOTABLE = frozenset({"FAILED", "CRASHED", "CANCELLED"})
IS_NOTABLE = "t.state_type in ('FAILED', 'CRASHED', 'CANCELLED')"
"""The condition of the index ``task_run_notable``, word for word: SQLite compares the texts."""


class TaskRunResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A task run as a page shows it: less than the whole."""

    id: str
    created: object
    updated: object
    name: str
    flow_run_id: str | None
    task_key: str
    state_id: str | None
    state: WireState | None
    task_version: str | None
    task_inputs: msgspec.Raw
    empirical_policy: msgspec.Raw
    tags: msgspec.Raw
    start_time: object
    end_time: object
    total_run_time: float
    estimated_run_time: float
    estimated_start_time_delta: float


def reduced(run: TaskRun) -> TaskRunResponse:
    """Leave out what pages do not show."""
    return TaskRunResponse(
        **{name: getattr(run, name) for name in TaskRunResponse.__struct_fields__}
    )


async def list_task_runs(
    reader: Reader, selection: TaskRunSelection, sort: TaskRunSort, span: Span, *, now: int
) -> list[TaskRun]:
    """List task runs; ``now`` is in microseconds."""
    if span.limit == 0:
        return []
    order = ORDERS[sort]
    ids = ids_statement(selection, order, span)
    rows = await reader.all(outer(ids, _SHOWN, order), *ids.args)
    return [task_run_from_row(row, now=now) for row in rows]


def ids_statement(selection: TaskRunSelection, order: Order, span: Span) -> Condition:
    """Choose the statement that finds the ids: one whose index ends the search early."""
    where = selection.where()
    if selection.narrow:
        return inner(_FOUND, where, order, span)
    if selection.states and _NOTABLE.issuperset(selection.states):
        notable = [where, Condition(IS_NOTABLE)]
        if order.key == "t.expected_start_time":
            heads = [
                Condition(f"t.state_type = '{each}'") for each in sorted(set(selection.states))
            ]
            return by_value(_FOUND, every(notable), heads, order=order, span=span)
        return inner(_FOUND, every(notable), order, span)
    if order.key == "t.id":
        walking = Condition("{no_index}t.workspace = ?", (selection.workspace,))
        return inner(_FOUND, every([walking, selection.condition]), order, span)
    return inner(_FOUND, where, order, span)


async def count_task_runs(reader: Reader, selection: TaskRunSelection) -> int:
    """Count the task runs."""
    where = selection.where()
    rows = await reader.all(f"select count(*) from task_run t where {where.sql}", *where.args)
    return int(rows[0][0])


async def task_run_history(
    reader: Reader, selection: TaskRunSelection, window: Window, *, now: int
) -> list[Interval]:
    """Count the task runs by state in each interval of a window, by expected start."""
    return await read_history(
        reader,
        "task_run t",
        selection.where(),
        window,
        sums=(estimated_run_time("t", now), lateness("t", now)),
    )
