"""The task workers that are connected to this process, and who of them is woken next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec

from armillary.broker import Message
from armillary.broker.tail import Tail
from armillary.task_runs.background import TOPIC
from armillary.task_runs.background.protocol import Subscription

if TYPE_CHECKING:
    from armillary.clock import Clock
    from armillary.core import Core


class TaskWorker(msgspec.Struct, frozen=True, kw_only=True):
    """A connected worker as answered."""

    identifier: str
    task_keys: list[str]
    timestamp: datetime


class Subscriber:
    """One socket of a worker."""

    def __init__(self, workspace: int, subscription: Subscription, now: datetime) -> None:
        self.workspace = workspace
        self.keys = subscription.keys
        self.client_id = subscription.client_id
        self.seen = now
        """When it was heard last; that is always now while it waits for a run."""
        self.woken = asyncio.Event()


class Subscribers:
    """Who serves which tasks here.  Of those who wait, the one that has waited longest is woken.

    One message wakes one of them, so that a run that comes does not set all of them at the
    database; whoever is woken and leaves passes it on.
    """

    def __init__(self, core: Core) -> None:
        self._clock: Clock = core.clock
        self._tail = Tail(core.broker, TOPIC, self._tell)
        self._all: dict[int, list[Subscriber]] = {}
        self._idle: dict[Subscriber, None] = {}
        core.metrics.gauge("armillary_task_workers", lambda: len(self))

    def __len__(self) -> int:
        return sum(map(len, self._all.values()))

    @contextlib.asynccontextmanager
    async def joined(self, workspace: int, subscription: Subscription) -> AsyncIterator[Subscriber]:
        """Count a worker among those here, and let it hear of runs that come."""
        subscriber = Subscriber(workspace, subscription, self._clock.now())
        self._all.setdefault(workspace, []).append(subscriber)
        try:
            async with self._tail.heard():
                yield subscriber
        finally:
            mine = self._all[workspace]
            mine.remove(subscriber)
            if not mine:
                del self._all[workspace]

    @contextlib.contextmanager
    def waiting(self, subscriber: Subscriber) -> Iterator[None]:
        """Let a subscriber be woken while the block lasts."""
        self._idle[subscriber] = None
        try:
            yield
        finally:
            self._idle.pop(subscriber, None)

    def pass_on(self, subscriber: Subscriber) -> None:
        """Wake somebody else in the place of one who does not look once more."""
        if subscriber.woken.is_set():
            subscriber.woken.clear()
            for key in subscriber.keys:
                self._wake(subscriber.workspace, key)

    def others_wait(self, subscriber: Subscriber, key: str) -> bool:
        """Tell whether somebody else who serves a task has nothing to do."""
        return any(
            other is not subscriber
            and other.workspace == subscriber.workspace
            and key in other.keys
            for other in self._idle
        )

    def listed(self, workspace: int, keys: Sequence[str]) -> list[TaskWorker]:
        """List the workers of a workspace, or of those the ones that serve any of some tasks."""
        found: dict[str, list[Subscriber]] = {}
        for subscriber in self._all.get(workspace, ()):
            found.setdefault(subscriber.client_id, []).append(subscriber)
        now = self._clock.now()
        workers = [
            TaskWorker(
                identifier=identifier,
                task_keys=sorted({key for each in mine for key in each.keys}),
                timestamp=max(now if each in self._idle else each.seen for each in mine),
            )
            for identifier, mine in sorted(found.items())
        ]
        wanted = set(keys)
        return [each for each in workers if not wanted or wanted & set(each.task_keys)]

    def _tell(self, message: Message) -> None:
        self._wake(message.workspace, message.body)

    def _wake(self, workspace: int, key: str) -> None:
        for subscriber in self._idle:
            if subscriber.workspace == workspace and key in subscriber.keys:
                del self._idle[subscriber]
                subscriber.woken.set()
                return


_SUBSCRIBERS: WeakKeyDictionary[Core, Subscribers] = WeakKeyDictionary()


def subscribers_of(core: Core) -> Subscribers:
    """Return the one registry of a core."""
    found = _SUBSCRIBERS.get(core)
    if found is None:
        found = _SUBSCRIBERS[core] = Subscribers(core)
    return found
