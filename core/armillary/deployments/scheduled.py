"""The runs a deployment has ahead of it: deleting them, and what a schedule's runs look like."""

from __future__ import annotations

from armillary.db.unit import Unit
from armillary.flow_runs.deleting import delete_all

# A run that was resumed before its first attempt was counted may be between two attempts, with a
# slot and a process: no count says so, but the name does.
_FIND = """
select id from flow_run where deployment_id = ? and state_type = 'SCHEDULED'
  and state_name not in ('AwaitingConcurrencySlot', 'AwaitingRetry') and run_count = 0
  and (? = 0 or auto_scheduled = 1) and (? = 0 or next_scheduled_start_time > ?)
"""


async def delete_scheduled(
    unit: Unit, deployment_id: str, *, auto_only: bool, future_only: bool
) -> int:
    """Delete runs of a deployment that never ran and wait for nothing but their time."""
    rows = await unit.all(_FIND, deployment_id, int(auto_only), int(future_only), unit.micros)
    if rows:
        await delete_all(unit, [row[0] for row in rows])
    return len(rows)
