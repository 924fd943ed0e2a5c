"""SAQ's worker for the jobs of one plugin, as a service of this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, MutableSet, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from saq.worker import Worker

from armillary.errors import ArmillaryError
from armillary.jobs import TOPIC, Job
from armillary.jobs.ledger import Ledger
from armillary.jobs.running import Running
from armillary.jobs.sql_queue import SqlQueue
from armillary.services.service import Service

if TYPE_CHECKING:
    from armillary.broker import Subscription
    from armillary.core import Core

T = TypeVar("T")

_AT_ONCE = 2
"""Jobs of a plugin that are under way at once in a process."""
_GRACE = 1
"""Seconds jobs have to end at a stop; what is left of them then comes again."""

logging.getLogger("saq").setLevel(logging.WARNING)  # it says a line for each job otherwise


class JobWorker(Service):
    """Does the jobs of a plugin; its name is the plugin's with ``.jobs``."""

    _news: Subscription

    def __init__(self, core: Core, queue: str, jobs: Sequence[Job]) -> None:
        super().__init__(core)
        self.queue = queue_of(core, queue)
        self._jobs = jobs
        self._worker: _Worker

    async def open(self) -> None:
        """Hear of new jobs, and take up what was left."""
        self._news = await self.core.broker.subscribe(TOPIC, None)
        self._worker = _Worker(self, [(job.name, _function(self, job)) for job in self._jobs])
        await self.queue.connect()

    async def run(self) -> None:
        """Work until cancelled."""
        working = asyncio.create_task(self._worker.start(), name=f"worker {self.name}")
        listening = asyncio.create_task(self._listen(), name=f"news of {self.name}")
        tasks = {working, listening} | ({self.queue.pump} if self.queue.pump else set())
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            listening.cancel()
            self._worker.event.set()
            await asyncio.wait({working})

    async def close(self) -> None:
        """Give back what has no end yet."""
        await self._news.close()
        await self.queue.disconnect()

    async def _listen(self) -> None:
        while True:
            for message in await self._news.next(100):
                if message.body == self.queue.name:
                    self.queue.wake()
            self._news.done()


def queue_of(core: Core, name: str) -> Ledger:
    """Make the queue of a plugin: on Redis where there is one, else in our own database."""
    url = core.settings.redis.url
    if not url:
        return SqlQueue(core, name)
    from armillary.jobs.redis_queue import RedisQueue  # noqa: PLC0415 - only with Redis

    return RedisQueue(core, name, url)


def workers(core: Core) -> list[Service]:
    """Make a worker for every plugin that runs here and has jobs."""
    jobs: dict[str, list[Job]] = {}
    for plugin, job in core.plugins.collect("register_jobs", core):
        jobs.setdefault(plugin, []).append(job)
    return [
        type("JobWorker", (JobWorker,), {"name": f"{plugin}.jobs"})(core, plugin, of_plugin)
        for plugin, of_plugin in jobs.items()
    ]


def _function(service: JobWorker, job: Job) -> Any:
    """Wrap a job as SAQ calls it."""
    core = service.core

    async def function(context: Any, **arguments: Any) -> None:
        attempt = context["job"]
        running = Running(core, attempt, workspace=attempt.meta["workspace"])
        outcome = "failed"
        try:
            async with asyncio.timeout(job.timeout or None):
                await job.work(running, **arguments)
            outcome = "done"
            service.record.went_well(core.clock.micros())
        except Exception as error:
            service.record.went_wrong(core.clock.micros(), error)
            raise
        finally:
            core.metrics.count("armillary_jobs_total", job=job.name, outcome=outcome)

    return function


class _Worker(Worker[Any]):
    """Leaves signals, upkeep and time to us."""

    SIGNALS: list[Any] = []
    queue: Ledger

    def __init__(self, service: JobWorker, functions: list[Any]) -> None:
        super().__init__(
            service.queue, functions,
            id=service.queue.worker_id, concurrency=_AT_ONCE, shutdown_grace_period_s=_GRACE,
        )  # fmt: skip
        self._service = service
        self.tasks = _InOrder()  # type: ignore[assignment]  # a set whose order repeats

    async def upkeep(self) -> list[asyncio.Task[None]]:
        """Leave it to the queue, which has no need to poll."""
        return []

    async def process(self) -> bool:
        """Do one job; what cannot be said of it now is found out when nobody prolongs it."""
        try:
            done = await super().process()
        except ArmillaryError as error:
            logging.getLogger("armillary.jobs").warning("a job's end is not stored: %s", error)
            return False
        else:
            self._service.signal("settled", done)
            return done
        finally:
            self.queue.let_go()

    async def stop(self) -> None:
        """End; those who wait for a job are told first, so that nobody has to be cancelled."""
        self.queue.hand_out_no_more()
        await super().stop()


class _InOrder(MutableSet[T]):
    """A set that is gone through in the order of its making, so that a simulation repeats."""

    def __init__(self) -> None:
        self._members: dict[T, None] = {}

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._members))

    def __len__(self) -> int:
        return len(self._members)

    def add(self, value: T) -> None:
        """Put one in."""
        self._members[value] = None

    def discard(self, value: T) -> None:
        """Take one out."""
        self._members.pop(value, None)

    def update(self, values: Iterable[T]) -> None:
        """Put some in."""
        for value in values:
            self.add(value)

    def clear(self) -> None:
        """Take all out."""
        self._members.clear()
