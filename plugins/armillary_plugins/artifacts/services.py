"""The loop that clears away artifacts of deleted flow runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import Done, LoopService
from armillary_plugins.artifacts.repository.reading import Looked, look_at
from armillary_plugins.artifacts.repository.writing import delete_artifact

if TYPE_CHECKING:
    from armillary import Core
    from armillary_plugins.artifacts.config import Config


class DeleteArtifactsOfDeletedRuns(LoopService):
    """Deletes artifacts that came after their flow run was deleted.

    Each turn looks at the next artifacts by id, and begins again at the end.
    """

    name = "artifacts"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self._config = config
        self._place = ""

    async def run_once(self) -> Done:
        """Look at the next artifacts."""
        looked = await look_at(
            self.core.database.read(None), after=self._place, limit=self._config.look_at
        )
        self._place = looked[-1].id if len(looked) == self._config.look_at else ""
        now = self.core.clock.micros()
        before = now - int(self._config.after * 1_000_000)
        # One from the future was made by a clock that has since been put back: it may be old.
        gone = [each for each in looked if not each.has_run and not before <= each.created <= now]
        changed = 0
        for each in self.each(gone):
            changed += await self._delete(each)
        return Done(found=len(gone), changed=changed)

    async def _delete(self, artifact: Looked) -> bool:
        return await self.core.database.write(
            lambda unit: delete_artifact(unit, self.core.ids, artifact.id),
            workspace=artifact.workspace,
        )
