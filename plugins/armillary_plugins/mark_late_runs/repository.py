"""Finds runs that should have started."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.clock import from_micros, to_micros
from armillary.db.unit import Reader

_LATE = """
select id, workspace, next_scheduled_start_time from flow_run
where state_type = 'SCHEDULED' and state_name = 'Scheduled' and next_scheduled_start_time <= ?
order by next_scheduled_start_time, id limit ?
"""


class Late(msgspec.Struct, frozen=True):
    """A run that has not started, and when it should have."""

    run_id: str
    workspace: int
    scheduled: datetime


async def late_runs(reader: Reader, before: datetime, *, limit: int) -> list[Late]:
    """Find runs of all workspaces that were scheduled for ``before`` or earlier, oldest first."""
    rows = await reader.all(_LATE, to_micros(before), limit)
    return [Late(row[0], row[1], from_micros(row[2])) for row in rows]
