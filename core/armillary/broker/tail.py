"""One subscription to a topic, held as long as anybody in the process wants to hear of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from armillary.broker import Broker, Message, Subscription

_BATCH = 100
_log = logging.getLogger("armillary.broker")


class Tail:
    """Hands what happens from now on to one function, while somebody is inside :meth:`heard`."""

    def __init__(self, broker: Broker, topic: str, tell: Callable[[Message], None]) -> None:
        self._broker = broker
        self._topic = topic
        self._tell = tell
        self._hearing = 0
        self._task: asyncio.Task[None] | None = None
        self._joining = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def heard(self) -> AsyncIterator[None]:
        """Hear of everything that is committed once the block has begun."""
        self._hearing += 1
        try:
            await self._join()
            yield
        finally:
            self._hearing -= 1
            await self._leave()

    async def _join(self) -> None:
        async with self._joining:
            if self._task is None or self._task.done():
                subscription = await self._broker.subscribe(self._topic, None)
                self._task = asyncio.create_task(
                    self._follow(subscription), name=f"tail of {self._topic}"
                )
                self._task.add_done_callback(self._report)

    async def _leave(self) -> None:
        async with self._joining:
            if self._hearing or self._task is None:
                return
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self, subscription: Subscription) -> None:
        try:
            while True:
                for message in await subscription.next(_BATCH):
                    self._tell(message)
                subscription.done()
        finally:
            await subscription.close()

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("nobody hears of %s any more", self._topic, exc_info=error)
