"""Deleting many flow runs that hold nothing, with a bounded number of statements."""

from __future__ import annotations

from collections.abc import Iterable

from armillary.db.filters import json_list
from armillary.db.unit import Unit

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


async def delete_all(unit: Unit, run_ids: Iterable[str]) -> None:
    """Delete runs that hold nothing, with all below them; their subflows stay, without parents."""
    doomed = json_list(run_ids)
    for statement in _DELETES:
        await unit.run(statement, doomed)
