"""A queue of SAQ in our own database: who waits for a job in this process is given it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from saq.job import Job as SaqJob

from armillary.jobs.ledger import Ledger

if TYPE_CHECKING:
    from armillary.core import Core


class SqlQueue(Ledger):
    """The jobs of one plugin."""

    def __init__(self, core: Core, name: str) -> None:
        super().__init__(core, name)
        self._waiters: deque[asyncio.Future[SaqJob | None]] = deque()
        self._spare: deque[SaqJob] = deque()
        """Claimed for somebody who waits no more."""

    def _room(self) -> int:
        return len(self._waiters)

    async def _give(self, job: SaqJob) -> None:
        """Hand a job to somebody who still waits, else keep it for the next."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(job)
                return
        self._spare.append(job)

    def hand_out_no_more(self) -> None:
        """Let nobody wait for a job any more."""
        self._closing = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> SaqJob | None:  # noqa: ASYNC109, ARG002 - SAQ's
        """Wait for a job; None when no more is handed out, or none came in time."""
        if self._closing:
            return None
        job = self._spare.popleft() if self._spare else await self._waited(timeout)
        task = asyncio.current_task()
        if job is not None and task is not None:
            self._hands[task] = job.meta["id"]
        return job

    async def _waited(self, seconds: float) -> SaqJob | None:
        waiter: asyncio.Future[SaqJob | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.wake()
        try:
            return await asyncio.wait_for(waiter, seconds or None)
        except TimeoutError:
            return None
