"""What every queue of ours has: rows in our own database, looked after by a pump.

::

    message, timer ──▶ pump: prolong what is held, take up what died, claim and give
                                                                           │
                        sql_queue.py: a future of who waits ◀──────────────┴──▶ redis_queue.py

Nothing polls at idle but a look at three indexes every few seconds, for what another process has
enqueued.  Times are those of the injected clock: what SAQ puts into a job's own members is never
stored.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import msgspec
from saq.job import Job as SaqJob
from saq.job import Status

from armillary.errors import Conflict, Unavailable
from armillary.jobs import store
from armillary.jobs.rows import STATE, Rows
from armillary.jobs.store import Attempt, Claimed

if TYPE_CHECKING:
    from armillary.core import Core

log = logging.getLogger("armillary.jobs")

_POLL = 5.0
"""Seconds between two looks for what somebody else has enqueued."""
_BEAT = store.LEASE / 3e6
AWAY = 1.0
_BACKOFF = 300.0
"""Seconds between two attempts at most."""
_ERROR = 4000
"""Characters kept of what went wrong."""


class Ledger(Rows):
    """The jobs of one plugin, whoever hands them to workers."""

    def __init__(self, core: Core, name: str, **more: Any) -> None:
        super().__init__(core, name, **more)
        self.worker_id = core.ids.uuid7()
        self.pump: asyncio.Task[None] | None = None
        self._clock = core.clock
        self._wake = asyncio.Event()
        self._closing = False
        self._held: dict[str, int] = {}
        """Attempts by the ids of what this process holds."""
        self._hands: dict[asyncio.Task[Any], str] = {}
        """What each of the worker's tasks is at."""
        self._beaten = 0.0

    @abstractmethod
    def _room(self) -> int:
        """Tell how many jobs can be given to workers now."""

    @abstractmethod
    async def _give(self, job: SaqJob) -> None:
        """Give a job to a worker."""

    @abstractmethod
    def hand_out_no_more(self) -> None:
        """Let nobody wait for a job any more."""

    def wake(self) -> None:
        """Let the pump look."""
        self._wake.set()

    async def connect(self) -> None:
        """Begin to look after the queue."""
        self._beaten = self._clock.monotonic()
        self.pump = asyncio.create_task(self._pump(), name=f"jobs of {self.name}")

    async def disconnect(self) -> None:
        """Look after it no more; what is held here is given back."""
        self.hand_out_no_more()
        if self.pump is not None:
            self.pump.cancel()
            await asyncio.wait({self.pump})
        try:
            await self._write(lambda unit: store.give_back(unit, self.name, self.worker_id))
        except Unavailable as error:
            log.warning("jobs of %s are taken up after the next start: %s", self.name, error)

    def let_go(self) -> None:
        """Hold no longer what the task that calls was at: if it still has no end, time tells."""
        task = asyncio.current_task()
        if task is not None and (job_id := self._hands.pop(task, None)) is not None:
            self._held.pop(job_id, None)

    async def _pump(self) -> None:
        if not self._core.broker.shared:
            await self._tried(self._take_up_of_others)
        while True:
            self._wake.clear()
            begun = self._clock.monotonic()
            seconds = await self._tried(self._look)
            timer = asyncio.create_task(self._ring(begun + seconds))
            try:
                await self._wake.wait()
            finally:
                timer.cancel()

    async def _ring(self, moment: float) -> None:
        """Wake the pump at a moment of the monotonic clock, which runs on while it looks."""
        await self._clock.sleep(max(0.0, moment - self._clock.monotonic()))
        self._wake.set()

    async def _tried(self, look: Any) -> float:
        try:
            return await look() or 0.0
        except Unavailable as error:
            log.warning("jobs of %s wait: %s", self.name, error)
        except Conflict:
            log.debug("another worker was faster")
        return AWAY

    async def _take_up_of_others(self) -> None:
        """Take up again what a process before this one was at."""
        if (await store.ahead(self._core.database.read(None), self.name)).deadline is not None:
            await self._write(lambda unit: store.take_up_of_others(unit, self.name, self.worker_id))

    async def _look(self) -> float:
        """Do what is to be done now; return the seconds until there may be more."""
        now = self._clock.micros()
        await self._prolong()
        reader = self._core.database.read(None)
        ahead = await store.ahead(reader, self.name)
        if ahead.deadline is not None and ahead.deadline < now:
            held = list(self._held)
            if await self._write(lambda unit: store.take_up_overdue(unit, self.name, held)):
                ahead = await store.ahead(reader, self.name)
        if ahead.expiry is not None and ahead.expiry <= now:
            gone = await store.expired(reader, now)
            await self._write(lambda unit: store.forget(unit, gone))
        if ahead.due is None or self._room() <= 0:
            return _POLL
        if ahead.due > now:
            return min(_POLL, (ahead.due - now) / 1e6)
        await self._hand_out()
        return _POLL

    async def _prolong(self) -> None:
        now = self._clock.monotonic()
        if self._held and now - self._beaten >= _BEAT:
            held = list(self._held)
            await self._write(lambda unit: store.beat(unit, self.worker_id, held))
        if not self._held or now - self._beaten >= _BEAT:
            self._beaten = now

    async def _hand_out(self) -> None:
        """Claim a job for each who waits."""
        while self._room() > 0:
            claimed = await self._write(lambda unit: store.claim(unit, self.name, self.worker_id))
            if claimed is None:
                return
            self._held[claimed.id] = claimed.attempts
            await self._give(self.shaped(claimed))

    def shaped(self, claimed: Claimed) -> SaqJob:
        """Shape a job for SAQ, whose worker counts the attempt itself."""
        return SaqJob(
            function=claimed.job,
            kwargs=msgspec.json.decode(claimed.arguments),
            queue=self,
            key=claimed.key,
            timeout=0,
            retries=claimed.attempts_allowed,
            attempts=claimed.attempts - 1,
            status=Status.ACTIVE,
            meta={"id": claimed.id, "workspace": claimed.workspace},
        )

    async def update(self, job: SaqJob, **kwargs: Any) -> None:
        """Say how far a job is.  That it begins is known from claiming it."""
        if "progress" in kwargs:
            note = kwargs["meta"]["note"]
            progress = kwargs["progress"]
            job.progress = progress
            await self._of_this_attempt(
                job,
                lambda unit: store.get_on(unit, attempt(job), progress=progress, note=note),
            )

    async def _update(self, job: SaqJob, status: Status | None = None, **kwargs: Any) -> None:
        """Not asked: :meth:`update` stores what there is to store."""

    async def _of_this_attempt(self, job: SaqJob, work: Any) -> None:
        if not await self._write(work):
            log.warning("attempt %d at job %s was taken over", job.attempts, job.meta["id"])

    async def _retry(self, job: SaqJob, error: str | None) -> None:
        """Let it be done again: at once where we were stopped, else after a while."""
        stopped = error == "cancelled"
        seconds = 0.0
        if not stopped:
            seconds = min(2.0**job.attempts, _BACKOFF) * (0.5 + self._core.chance.random())
        text = None if stopped else shortened(error)
        await self._of_this_attempt(
            job,
            lambda unit: store.again(
                unit, attempt(job), error=text, after=int(seconds * 1e6), counted=not stopped
            ),
        )
        self.wake()

    async def _finish(
        self,
        job: SaqJob,
        status: Status,
        *,
        result: Any = None,  # noqa: ARG002 - a job of ours gives none
        error: str | None = None,
    ) -> None:
        again, progress = job.meta.get("again"), float(job.progress)
        if again is not None and status is Status.COMPLETE:
            after = max(0, again - self._clock.micros())
            await self._of_this_attempt(
                job,
                lambda unit: store.again(
                    unit, attempt(job), error=None, after=after, counted=False
                ),
            )
            self.wake()
            return
        await self._of_this_attempt(
            job,
            lambda unit: store.end(
                unit, attempt(job), STATE[status], error=shortened(error), progress=progress
            ),
        )
        self.wake()

    async def abort(self, job: SaqJob, error: str, ttl: float = 5) -> None:  # noqa: ARG002 - SAQ's
        """Have a job not done; one that is under way here is stopped."""
        await self._write(lambda unit: store.abort(unit, self.name, job.key, error))
        for task, job_id in list(self._hands.items()):
            if job_id == job.meta.get("id"):
                task.cancel()

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:  # noqa: ARG002 - SAQ's
        """Let the pump look: it takes up what died."""
        self.wake()
        return []


def attempt(job: SaqJob) -> Attempt:
    """Name the attempt a worker is at."""
    return Attempt(job.meta["id"], job.attempts)


def shortened(error: str | None) -> str | None:
    """Keep the end of a long text, where a traceback says what happened."""
    return error if error is None or len(error) <= _ERROR else f"…{error[-_ERROR:]}"
