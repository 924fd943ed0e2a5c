"""The channels of this process by their pools, which are told of changes at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec

from armillary.broker import Message
from armillary.broker.tail import Tail
from armillary.work_pools.changes import TOPIC, Change

if TYPE_CHECKING:
    from armillary.core import Core


class Listeners:
    """Who is told of which pool.  The outbox is listened to as long as anybody is."""

    def __init__(self, core: Core) -> None:
        self._tail = Tail(core.broker, TOPIC, self._tell)
        self._by_pool: dict[str, set[asyncio.Event]] = {}
        core.metrics.gauge("armillary_worker_channels", lambda: len(self))

    def __len__(self) -> int:
        return sum(map(len, self._by_pool.values()))

    @contextlib.asynccontextmanager
    async def listening(self, pool_id: str) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set whenever the pool is changed."""
        changed = asyncio.Event()
        self._by_pool.setdefault(pool_id, set()).add(changed)
        try:
            async with self._tail.heard():
                yield changed
        finally:
            mine = self._by_pool[pool_id]
            mine.discard(changed)
            if not mine:
                del self._by_pool[pool_id]

    def _tell(self, message: Message) -> None:
        change = msgspec.json.decode(message.body, type=Change)
        for event in self._by_pool.get(change.pool_id, ()):
            event.set()


_LISTENERS: WeakKeyDictionary[Core, Listeners] = WeakKeyDictionary()


def listeners_of(core: Core) -> Listeners:
    """Return the one registry of a core."""
    found = _LISTENERS.get(core)
    if found is None:
        found = _LISTENERS[core] = Listeners(core)
    return found
