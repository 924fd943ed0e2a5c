"""The loop that clears away lines of deleted runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import Done, LoopService
from armillary_plugins.logs import repository

if TYPE_CHECKING:
    from armillary import Core
    from armillary_plugins.logs.config import Config


class DeleteLogsOfDeletedRuns(LoopService):
    """Finds runs that have log lines but are gone, and deletes the lines.

    Runs are deleted in many ways, so it asks what is left, not who deleted: each turn looks at
    the next runs by id, and begins again at the end.
    """

    name = "logs"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self._config = config
        self._place: tuple[int, str] = (0, "")

    async def run_once(self) -> Done:
        """Look at the next runs."""
        database = self.core.database
        known = await repository.workspaces(database.read(None))
        workspace, after = self._place
        workspace = next((key for key in known if key >= max(workspace, 1)), known[0])
        if workspace != self._place[0]:
            after = ""
        runs = await repository.runs_with_logs(
            database.read(workspace), after=after, limit=self._config.look_at
        )
        full = len(runs) == self._config.look_at
        self._place = (workspace, runs[-1].id) if full else (workspace + 1, "")
        now = self.core.clock.micros()
        before = now - int(self._config.after * 1_000_000)
        # A line from the future has a clock of its own, or ours was put back: it may be old.
        gone = [run.id for run in runs if not run.exists and not before <= run.last <= now]
        changed = 0
        for run_id in self.each(gone):
            changed += await self._delete(workspace, run_id)
        return Done(found=len(gone), changed=changed)

    async def _delete(self, workspace: int, run_id: str) -> int:
        deleted, batch = 0, self._config.batch
        while not self.stopping:
            some = await self.core.database.write(
                lambda unit: repository.delete_for_flow_run(unit, run_id, limit=batch),
                workspace=workspace,
            )
            deleted += some
            if some < batch:
                break
        return deleted
