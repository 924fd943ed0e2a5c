"""Which runs a runner is given that serves deployments itself."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.api import Call
from armillary.db.filters import json_list
from armillary.db.unit import Reader, Row
from armillary.flow_runs.reading import COLUMNS, JOINS, FlowRunResponse, flow_run_from_row
from armillary.work_pools.repository.polling import FRESH, record_runner_poll

_EVER = 1 << 62
_DUE = f"""
select {COLUMNS} from flow_run r {JOINS}
where r.deployment_id = ? and r.workspace = ? and r.state_type = 'SCHEDULED'
  and r.next_scheduled_start_time <= ?
order by r.next_scheduled_start_time, r.id limit ?
"""
_STALE = """
select id from deployment where workspace = ? and id {in_list}
  and (last_polled is null or last_polled < ? or status <> 'READY')
"""
_NEXT = 22


async def due_runs(
    reader: Reader, deployment_ids: Sequence[str], *, before: int | None, limit: int, now: int
) -> list[FlowRunResponse]:
    """Select due runs of these deployments, earliest first."""
    rows: list[Row] = []
    for deployment_id in dict.fromkeys(deployment_ids):
        rows.extend(
            await reader.all(
                _DUE, deployment_id, reader.workspace, _EVER if before is None else before, limit
            )
        )
    rows.sort(key=lambda row: (row[_NEXT], row[0]))
    return [flow_run_from_row(row, now=now) for row in rows[:limit]]


async def record_poll(call: Call, deployment_ids: Sequence[str]) -> None:
    """Mark deployments as polled, unless that was done a moment ago."""
    stale = await call.read().all(
        _STALE, call.workspace, json_list(deployment_ids), call.received - FRESH
    )
    if stale:
        found = [row[0] for row in stale]
        await call.write(lambda unit: record_runner_poll(unit, call.core.ids, found))
