"""What a job is given: the core, whose it is, and a way to say how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from armillary.core import Core

_SAY_EVERY = 1.0


class Running:
    """An attempt at a job."""

    def __init__(self, core: Core, job: Any, *, workspace: int) -> None:
        self.core = core
        self.workspace = workspace
        self._job = job
        self._said = core.clock.monotonic()

    async def get_on(self, note: str, *, progress: float = 0.0) -> None:
        """Say how far it is, in words and, if that is known, as a part of 1; once a second."""
        now = self.core.clock.monotonic()
        if now - self._said >= _SAY_EVERY:
            self._said = now
            await self.say(note, progress=progress)

    async def say(self, note: str, *, progress: float = 0.0) -> None:
        """The same at once."""
        await self._job.update(progress=progress, meta={"note": note})

    def come_again(self, when: int) -> None:
        """Have it done once more at a moment, in microseconds, instead of being done by now."""
        self._job.meta["again"] = when
