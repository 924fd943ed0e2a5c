"""The job that ends a cancellation nobody ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary.jobs import Job
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import StateType, propose
from armillary_plugins.cancellation_cleanup import repository
from armillary_plugins.cancellation_cleanup.config import Config

if TYPE_CHECKING:
    from armillary.db.unit import Unit
    from armillary.jobs.running import Running

_TIMED_OUT = propose(
    StateType.CANCELLED, message="Nobody ended the run in time after it was to be cancelled."
)


async def _end_cancellation(running: Running, *, run_id: str, state_id: str) -> None:
    """End it if its time is up and the run is still in that very state; else come again."""
    core = running.core
    timeout = int(core.config(Config).timeout * 1e6)

    async def work(unit: Unit) -> int | None:
        since = await repository.cancelling_since(unit, run_id, state_id)
        if since is None:
            return None
        if since + timeout > unit.micros:
            return since + timeout
        request = FlowRunProposal(workspace=running.workspace, run_id=run_id, proposal=_TIMED_OUT)
        await core.gate.set_flow_run_state_in(unit, request)
        return None

    due = await core.database.write(work, workspace=running.workspace)
    if due is not None:
        running.come_again(due)


END_CANCELLATION = Job(name=repository.JOB, work=_end_cancellation)
