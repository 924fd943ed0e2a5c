"""The loops that finish cancellations."""

from __future__ import annotations

from functools import partial

from armillary import Core, Done, LoopService
from armillary.errors import RunNotFound
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import StateType, propose
from armillary.task_runs.gate import TaskRunProposal
from armillary_plugins.cancellation_cleanup import repository
from armillary_plugins.cancellation_cleanup.config import Config

_DAY = 86_400_000_000
_PARENT = "The parent flow run was cancelled."
_TASK = propose(StateType.CANCELLED, message=_PARENT)
_SUBFLOW_WITH_OWNER = propose(StateType.CANCELLING, message=_PARENT)
_SUBFLOW_ALONE = propose(StateType.CANCELLED, message=_PARENT)


class _Cleanup(LoopService):
    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self.config = config

    @property
    def since(self) -> int:
        """How far back cancelled parents are looked at, in microseconds since the epoch."""
        return self.core.clock.micros() - int(self.config.days * _DAY)


class CancelChildTaskRuns(_Cleanup):
    """Cancels task runs that a cancelled flow run left unfinished."""

    name = "cancellation_cleanup.task_runs"

    async def run_once(self) -> Done:
        """Cancel one batch."""
        reader = self.core.database.read(None)
        runs = await repository.child_task_runs(reader, self.since, limit=self.config.batch)
        changed = 0
        for run in self.each(runs):
            request = TaskRunProposal(
                workspace=run.workspace, run_id=run.run_id, proposal=_TASK, policy="minimal"
            )
            try:
                changed += (await self.core.gate.task_runs.set_task_run_state(request)).written
            except RunNotFound:
                continue
        return Done(found=len(runs), changed=changed)


class CancelSubflowRuns(_Cleanup):
    """Cancels subflow runs that a cancelled flow run left unfinished.

    One that belongs to a deployment has an owner who must end it; others end here.
    """

    name = "cancellation_cleanup.subflow_runs"

    async def run_once(self) -> Done:
        """Cancel one batch."""
        reader = self.core.database.read(None)
        runs = await repository.subflow_runs(reader, self.since, limit=self.config.batch)
        changed = 0
        for run in self.each(runs):
            request = FlowRunProposal(
                workspace=run.workspace,
                run_id=run.run_id,
                proposal=_SUBFLOW_ALONE if run.mark is None else _SUBFLOW_WITH_OWNER,
                policy="minimal",
            )
            try:
                changed += (await self.core.gate.set_flow_run_state(request)).written
            except RunNotFound:
                continue
        return Done(found=len(runs), changed=changed)


class SeeToCancellations(_Cleanup):
    """Has a job look at each run that is Cancelling and was forgotten, as by an older version."""

    name = "cancellation_cleanup.forgotten"

    async def run_once(self) -> Done:
        """See to one batch."""
        database = self.core.database
        runs = await repository.forgotten(database.read(None), limit=self.config.batch)
        changed = 0
        for run in self.each(runs):
            work = partial(repository.look_again, run_id=run.run_id, state_id=str(run.mark))
            changed += await database.write(work, workspace=run.workspace)
        return Done(found=len(runs), changed=changed)
