"""The jobs that end cancellations, done in a turn as if they were a loop's."""

from __future__ import annotations

from saq.job import Status

from armillary import Core, Done, LoopService
from armillary.jobs import store
from armillary.jobs.running import Running
from armillary.jobs.sql_queue import SqlQueue
from armillary_plugins.cancellation_cleanup.jobs import END_CANCELLATION
from armillary_plugins.cancellation_cleanup.repository import QUEUE


class EndCancellations(LoopService):
    """Does every job that is due."""

    name = "cancellation_cleanup.due"

    def __init__(self, core: Core) -> None:
        super().__init__(core, interval=1.0)
        self._queue = SqlQueue(core, QUEUE)

    async def run_once(self) -> Done:
        done = 0
        while True:
            claimed = await self.core.database.write(
                lambda unit: store.claim(unit, QUEUE, self._queue.worker_id), workspace=None
            )
            if claimed is None:
                return Done(found=done, changed=done)
            job = self._queue.shaped(claimed)
            job.attempts += 1
            running = Running(self.core, job, workspace=claimed.workspace)
            await END_CANCELLATION(running, **(job.kwargs or {}))
            await job.finish(Status.COMPLETE)
            done += 1
