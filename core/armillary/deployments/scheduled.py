"""The runs a deployment has ahead of it: deleting them, and what a schedule's runs look like."""

from __future__ import annotations

from armillary.db.filters import json_list
from armillary.db.unit import Unit

_FIND = """
select id from flow_run where deployment_id = ? and state_type = 'SCHEDULED'
  and state_name <> 'AwaitingConcurrencySlot' and run_count = 0
  and (? = 0 or auto_scheduled = 1) and (? = 0 or next_scheduled_start_time > ?)
"""
_DELETES = (
    "delete from flow_run_state where flow_run_id {in_list}",
    "delete from flow_run_tag where flow_run_id {in_list}",
    "delete from flow_run_input where flow_run_id {in_list}",
    "delete from flow_run where id {in_list}",
)


async def delete_scheduled(
    unit: Unit, deployment_id: str, *, auto_only: bool, future_only: bool
) -> int:
    """Delete runs of a deployment that never ran and wait for nothing but their time."""
    rows = await unit.all(_FIND, deployment_id, int(auto_only), int(future_only), unit.micros)
    if rows:
        doomed = json_list(row[0] for row in rows)
        for statement in _DELETES:
            await unit.run(statement, doomed)
    return len(rows)
