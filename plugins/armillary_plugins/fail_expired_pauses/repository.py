"""Finds paused runs whose time is up."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.db.unit import Reader
from armillary.orchestration.states import StateDetails

_PAUSED = """
select r.id, r.workspace, s.id, s.details
from flow_run r join flow_run_state s on s.id = r.state_id
where r.state_type = 'PAUSED' and r.id > ? order by r.id limit ?
"""
_details = msgspec.json.Decoder(StateDetails).decode


class Paused(msgspec.Struct, frozen=True):
    """A paused run, the state it is paused in, and until when."""

    run_id: str
    workspace: int
    state_id: str
    until: datetime | None

    def expired(self, now: datetime) -> bool:
        """Tell whether its time is up."""
        return self.until is not None and self.until < now


async def paused_after(reader: Reader, run_id: str, *, limit: int) -> list[Paused]:
    """Read paused runs of all workspaces in the order of their ids, from ``run_id`` on."""
    rows = await reader.all(_PAUSED, run_id, limit)
    return [Paused(row[0], row[1], row[2], _details(row[3]).pause_timeout) for row in rows]
