"""The loop that fails expired pauses."""

from __future__ import annotations

from armillary import Core, Done, LoopService
from armillary.db.unit import Unit
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import StateType, propose
from armillary_plugins.fail_expired_pauses.config import Config
from armillary_plugins.fail_expired_pauses.repository import Paused, paused_after

_STATE = "select state_id from flow_run where id = ? {for_update}"
_FAILED = propose(StateType.FAILED, message="The flow was paused and never resumed.")


class FailExpiredPauses(LoopService):
    """Finds paused runs past their timeout and fails them."""

    name = "fail_expired_pauses"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self.config = config

    async def run_once(self) -> Done:
        """Look at every paused run, page by page."""
        reader = self.core.database.read(None)
        found, changed, last = 0, 0, ""
        while page := await paused_after(reader, last, limit=self.config.batch):
            last = page[-1].run_id
            now = self.core.clock.now()
            for run in self.each(run for run in page if run.expired(now)):
                found += 1
                changed += await self._fail(run)
            if len(page) < self.config.batch or self.stopping:
                break
        return Done(found=found, changed=changed)

    async def _fail(self, run: Paused) -> bool:
        async def work(unit: Unit) -> bool:
            state = await unit.value(_STATE, run.run_id)
            if state != run.state_id:
                return False
            request = FlowRunProposal(
                workspace=run.workspace, run_id=run.run_id, proposal=_FAILED, policy="minimal"
            )
            return (await self.core.gate.set_flow_run_state_in(unit, request)).written

        return await self.core.database.write(work, workspace=run.workspace)
