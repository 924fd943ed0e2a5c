"""A queue of SAQ on Redis, which hands jobs to workers; what is asked for stays in our database.

::

    row: waiting ──claimed──▶ active, in Redis ──a worker takes it and says so──▶ done, dead
            ▲                       │ nobody has prolonged it for a minute
            └───────────────────────┘

Redis may lose everything at any moment, and a connection what it was given: a row that nobody
prolongs, or begins, is handed over again, as another attempt with a key of its own, and a worker
that comes by an older one leaves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from redis import asyncio as aioredis
from redis.exceptions import RedisError
from saq.job import Job as SaqJob
from saq.job import Status
from saq.queue.redis import RedisQueue as SaqRedisQueue

from armillary.errors import ConfigError, Unavailable
from armillary.jobs import store
from armillary.jobs.ledger import AWAY, Ledger, attempt, log
from armillary.settings import hide_password

if TYPE_CHECKING:
    from armillary.core import Core

_HANDED = 20
"""Jobs of a queue that a process has in Redis at once: the rest wait where they are safe."""
_UNCOUNTED: dict[str, Any] = {"error": None, "after": 0, "counted": False}


class RedisQueue(Ledger, SaqRedisQueue):
    """The jobs of one plugin, handed out by Redis."""

    def __init__(self, core: Core, name: str, url: str) -> None:
        super().__init__(core, name, redis=aioredis.from_url(url))
        self._connection: Any = self.redis  # whose types say of each call that it may not wait
        self._shown = hide_password(url)
        self._takers: set[asyncio.Task[Any]] = set()
        self._given: set[store.Attempt] = set()
        """What Redis had given to somebody who had not begun it, a beat ago."""

    async def connect(self) -> None:
        """Begin to look after the queue; ConfigError if Redis does not answer."""
        try:
            await self._connection.ping()
        except RedisError as error:
            message = (
                f"The Redis at {self._shown} does not answer ({error}): start it, or take "
                "redis.url from the settings."
            )
            raise ConfigError(message) from error
        await super().connect()

    async def disconnect(self) -> None:
        """Look after it no more; what is held here is given back."""
        await super().disconnect()
        try:
            await SaqRedisQueue.disconnect(self)
        except RedisError as error:
            log.warning("the connection to Redis is just dropped: %s", error)

    def hand_out_no_more(self) -> None:
        """Let nobody wait for a job any more."""
        self._closing = True
        for task in self._takers:
            task.cancel()

    def _room(self) -> int:
        return 0 if self._closing else _HANDED - len(self._held)

    async def _give(self, job: SaqJob) -> None:
        """Put a job into Redis, in the place of its last attempt."""
        job_id, number = job.meta["id"], job.attempts + 1
        handed = SaqJob(
            function=job.function,
            kwargs=job.kwargs,
            queue=self,
            key=f"{job_id}:{number}",
            timeout=0,
            retries=job.retries,
            attempts=job.attempts,
            status=Status.QUEUED,
            meta=job.meta,
        )
        try:
            await self._drop(f"{job_id}:{number - 1}", handed.key)
            await SaqRedisQueue._enqueue(self, handed)  # noqa: SLF001 - the class it is one of
        except RedisError as error:
            self._held.pop(job_id, None)
            this = store.Attempt(job_id, number)
            await self._write(partial(store.again, attempt=this, **_UNCOUNTED))
            raise Unavailable(f"Redis does not answer: {error}") from error

    async def _drop(self, *keys: str) -> None:
        """Leave nothing of some attempts in Redis."""
        async with self._connection.pipeline(transaction=True) as pipe:
            for job_id in map(self.job_id, keys):
                pipe.lrem(self._active, 0, job_id).lrem(self._queued, 0, job_id)
                pipe.zrem(self._incomplete, job_id).delete(job_id)
            await pipe.execute()

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> SaqJob | None:  # noqa: ASYNC109 - SAQ's
        """Wait for a job that is still to be done; None when no more is handed out."""
        task = asyncio.current_task()
        while task is not None and not self._closing:
            self._takers.add(task)
            try:
                job = await SaqRedisQueue.dequeue(self, timeout, poll_interval)
            except RedisError as error:
                log.warning("no job of %s is taken, Redis does not answer: %s", self.name, error)
                await self._clock.sleep(AWAY)
                continue
            finally:
                self._takers.discard(task)
            if job is not None and await self._begin(job):
                self._hands[task] = job.meta["id"]
                return job
            if timeout:
                return None
        return None

    async def _begin(self, job: SaqJob) -> bool:
        """Hold a job here, unless it is another attempt's by now."""
        this = store.Attempt(job.meta["id"], job.attempts + 1)
        self._held[this.job_id] = this.number
        if await self._write(lambda unit: store.begin(unit, this, self.worker_id)):
            return True
        self._held.pop(this.job_id, None)
        await self._drop(job.key)
        return False

    async def _prolong(self) -> None:
        """Prolong what is held; hold no longer what others have begun, or Redis has lost."""
        beaten = self._beaten
        await super()._prolong()
        in_hand = set(self._hands.values())
        handed = {job_id: n for job_id, n in self._held.items() if job_id not in in_hand}
        if not handed:
            return
        own = await store.held_by(self._core.database.read(None), self.name, self.worker_id)
        for job_id in handed.keys() - own:
            self._held.pop(job_id, None)
        if beaten != self._beaten:
            await self._hand_over_again(
                [store.Attempt(job_id, n) for job_id, n in handed.items() if job_id in own]
            )

    async def _hand_over_again(self, handed: Sequence[store.Attempt]) -> None:
        """Let be claimed anew what Redis has lost, or gave to a connection that broke."""
        try:
            async with self._connection.pipeline(transaction=False) as pipe:
                for this in handed:
                    key = self.job_id(f"{this.job_id}:{this.number}")
                    pipe.exists(key).lpos(self._queued, key)
                answers = await pipe.execute()
        except RedisError as error:
            raise Unavailable(f"Redis does not answer: {error}") from error
        in_hand = set(self._hands.values())
        given: set[store.Attempt] = set()
        for this, known, place in zip(handed, answers[::2], answers[1::2], strict=True):
            if this.job_id in in_hand or place is not None:
                continue
            if known and this not in self._given:
                given.add(this)
                continue
            self._held.pop(this.job_id, None)
            # Who was given it may still begin, if he only slept: then as an attempt that is over.
            await self._write(
                partial(store.again, attempt=this, error=None, after=0, counted=bool(known))
            )
        self._given = given

    async def _retry(self, job: SaqJob, error: str | None) -> None:
        await super()._retry(job, error)
        await self._dropped(job)

    async def _finish(
        self, job: SaqJob, status: Status, *, result: Any = None, error: str | None = None
    ) -> None:
        await super()._finish(job, status, result=result, error=error)
        await self._dropped(job)

    async def _dropped(self, job: SaqJob) -> None:
        """Leave nothing of an attempt that is over; what is left all the same is not begun."""
        try:
            await self._drop(f"{job.meta['id']}:{attempt(job).number}")
        except RedisError as error:
            log.warning("job %s stays in Redis for now: %s", job.meta["id"], error)
