"""The channels of this process by their pools, and the one tail of the outbox that wakes them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec

from armillary.broker import Subscription
from armillary.work_pools.changes import TOPIC, Change

if TYPE_CHECKING:
    from armillary.core import Core

_BATCH = 100
_log = logging.getLogger("armillary.work_pools")


class Listeners:
    """Who is told of which pool.  The outbox is listened to as long as anybody is."""

    def __init__(self, core: Core) -> None:
        self._broker = core.broker
        self._by_pool: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self._joining = asyncio.Lock()
        core.metrics.gauge("armillary_worker_channels", lambda: len(self))

    def __len__(self) -> int:
        return sum(map(len, self._by_pool.values()))

    @contextlib.asynccontextmanager
    async def listening(self, pool_id: str) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set whenever the pool is changed."""
        changed = asyncio.Event()
        self._by_pool.setdefault(pool_id, set()).add(changed)
        try:
            await self._join()
            yield changed
        finally:
            mine = self._by_pool[pool_id]
            mine.discard(changed)
            if not mine:
                del self._by_pool[pool_id]
            await self._leave()

    async def _join(self) -> None:
        async with self._joining:
            if self._task is None or self._task.done():
                subscription = await self._broker.subscribe(TOPIC, None)
                self._task = asyncio.create_task(self._tell(subscription), name="worker channels")
                self._task.add_done_callback(_report)

    async def _leave(self) -> None:
        async with self._joining:
            if self._by_pool or self._task is None:
                return
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _tell(self, subscription: Subscription) -> None:
        try:
            while True:
                for message in await subscription.next(_BATCH):
                    change = msgspec.json.decode(message.body, type=Change)
                    for event in self._by_pool.get(change.pool_id, ()):
                        event.set()
                subscription.done()
        finally:
            await subscription.close()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("workers hear of changes of their pools only by heartbeats", exc_info=error)


_LISTENERS: WeakKeyDictionary[Core, Listeners] = WeakKeyDictionary()


def listeners_of(core: Core) -> Listeners:
    """Return the one registry of a core."""
    found = _LISTENERS.get(core)
    if found is None:
        found = _LISTENERS[core] = Listeners(core)
    return found
