"""Deleting many flow runs of a flow with a bounded number of statements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from armillary.db.filters import json_list
from armillary.db.unit import Row, Unit

Forget: TypeAlias = Callable[[Unit, str], Awaitable[object]]
"""Deletes one run that may hold something, such as a slot of a limit, which it gives back."""

_SOME = "select id, state_type, state_name from flow_run where flow_id = ? order by id limit ?"
_HOLDING = frozenset({"PENDING", "RUNNING", "PAUSED", "CANCELLING"})
_DELETES = (
    "delete from flow_run_state where flow_run_id {in_list}",
    "delete from flow_run_tag where flow_run_id {in_list}",
    "delete from flow_run_input where flow_run_id {in_list}",
    """update flow_run set parent_task_run_id = null where parent_task_run_id in
        (select id from task_run where flow_run_id {in_list})""",
    """delete from task_run_state where task_run_id in
        (select id from task_run where flow_run_id {in_list})""",
    "delete from task_run where flow_run_id {in_list}",
    "delete from flow_run where id {in_list}",
)


async def delete_some(unit: Unit, flow_id: str, forget: Forget, *, limit: int) -> int:
    """Delete up to ``limit`` runs of a flow with all below them; return how many there were."""
    rows = await unit.all(_SOME, flow_id, limit)
    for row in rows:
        if _may_hold(row):
            await forget(unit, row[0])
    await delete_all(unit, [row[0] for row in rows if not _may_hold(row)])
    return len(rows)


async def delete_all(unit: Unit, run_ids: Iterable[str]) -> None:
    """Delete runs that hold nothing, with all below them; their subflows stay, without parents."""
    doomed = json_list(run_ids)
    for statement in _DELETES:
        await unit.run(statement, doomed)


def _may_hold(row: Row) -> bool:
    """Tell whether a run may hold a slot, as it does between two attempts in one process."""
    return row[1] in _HOLDING or row[2] == "AwaitingRetry"
