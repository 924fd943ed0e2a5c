"""The loop that marks runs late."""

from __future__ import annotations

from datetime import timedelta

from armillary import Core, Done, LoopService
from armillary.errors import RunNotFound
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import StateDetails, StateType, propose
from armillary_plugins.mark_late_runs.config import Config
from armillary_plugins.mark_late_runs.repository import late_runs


class MarkLateRuns(LoopService):
    """Finds scheduled runs past their start and marks them late."""

    name = "mark_late_runs"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self.config = config

    async def run_once(self) -> Done:
        """Mark one batch."""
        before = self.core.clock.now() - timedelta(seconds=self.config.after)
        runs = await late_runs(self.core.database.read(None), before, limit=self.config.batch)
        changed = 0
        for run in self.each(runs):
            late = propose(
                StateType.SCHEDULED,
                name="Late",
                details=StateDetails(scheduled_time=run.scheduled),
            )
            request = FlowRunProposal(
                workspace=run.workspace, run_id=run.run_id, proposal=late, policy="late"
            )
            try:
                decided = await self.core.gate.set_flow_run_state(request)
            except RunNotFound:
                continue
            changed += decided.written
        return Done(found=len(runs), changed=changed)
