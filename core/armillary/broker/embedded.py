"""The broker of the one-process shape: the outbox, read once for all who listen.

::

    commit ──wakes──▶ pump: one read of what is new ──▶ a queue for each subscription ──▶ consumer
                        ▲                                          │ full: it falls behind
                        └── reads for it alone, once it has room ◀─┘

A group's position is stored shortly after its messages are handled, for all groups in one unit;
after a crash the last half second comes again.  Rows go once every group has passed them.
Nothing polls: at idle there is a sweep now and then, for what somebody else has written.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from armillary.broker import Broker, Message, Place, Subscription
from armillary.clock import Clock
from armillary.db.database import Database
from armillary.errors import Unavailable
from armillary.events.outbox import START, Outbox, floor
from armillary.metrics import Metrics
from armillary.outage import Outage

_log = logging.getLogger("armillary.broker")

_READ = 500
"""Messages of one read."""
_QUEUE = 2000
"""Messages that wait for one consumer in memory."""
_PACE = 0.01
"""Seconds between two reads under load: commits in between share one."""
_SWEEP = 15.0
_STORE_AFTER = 0.5
_TRIM_AFTER = 1000
_TRIM = 250
"""Rows deleted in one unit: about a millisecond of the writer."""
_AWAY = 1.0


class EmbeddedSubscription(Subscription):
    """A queue that the pump fills."""

    def __init__(self, broker: EmbeddedBroker, topic: str, group: str | None) -> None:
        self._broker = broker
        self.topic = topic
        self.group = group
        self.behind = group is not None
        self.last: Place = START
        """The newest message that was queued."""
        self.handled: Place = START
        self._queue: deque[Message] = deque()
        self._in_hand: Sequence[Message] = ()
        self._filled = asyncio.Event()

    @property
    def room(self) -> int:
        """How many messages the queue still takes."""
        return _QUEUE - len(self._queue)

    @property
    def waiting(self) -> tuple[int, bool]:
        """How many messages wait in memory or are in hand, and whether the outbox has more."""
        return len(self._queue) + len(self._in_hand), self.behind

    @property
    def passed(self) -> Place | None:
        """How far the outbox may be trimmed for this one; None where it holds nothing back."""
        if self.group is None or not (self.behind or self._queue or self._in_hand):
            return None
        return self.handled

    def offer(self, messages: Sequence[Message]) -> None:
        """Queue messages that are newer than the last one; a full group falls behind."""
        if self.behind:
            return
        if messages[0].place <= self.last:
            messages = [message for message in messages if message.place > self.last]
        room = self.room
        if len(messages) <= room:
            self.take(messages)
        elif self.group is not None:
            self.behind = True
            self.take(messages[:room])
        else:
            self.take(messages)
            while len(self._queue) > _QUEUE:
                self._queue.popleft()
                self._broker.skipped(self.topic)

    def take(self, messages: Sequence[Message]) -> None:
        """Queue messages."""
        if messages:
            self._queue.extend(messages)
            self.last = messages[-1].place
            self._filled.set()

    def wake(self) -> None:
        """Let whoever waits look again."""
        self._filled.set()

    async def next(self, limit: int) -> Sequence[Message]:
        """Wait for messages; at least one, at most ``limit``, in order."""
        while not self._queue:
            self._filled.clear()
            self._broker.check()
            await self._filled.wait()
        count = min(limit, len(self._queue))
        self._in_hand = [self._queue.popleft() for _ in range(count)]
        if self.behind:
            self._broker.wake()
        return self._in_hand

    def done(self) -> None:
        """Say that what :meth:`next` gave is handled."""
        if self._in_hand:
            self.handled = self._in_hand[-1].place
            self._in_hand = ()
            self._broker.moved(self)

    async def close(self) -> None:
        """Give the place back; a group's is stored."""
        await self._broker.leave(self)


class EmbeddedBroker(Broker):
    """Reads the outbox of its own process."""

    shared: ClassVar[bool] = False

    def __init__(self, database: Database, clock: Clock, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._subscriptions: list[EmbeddedSubscription] = []
        self._absent: Sequence[str] = ()
        self._tail: Place = START
        self._unread = 0
        self._moved: dict[str, Place] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._storing: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._outage = Outage(_log, clock)
        self._outbox: Outbox

    async def readers(self) -> set[str]:
        """Name the plugins whose consumers have read before."""
        stored = await Outbox(self._database).positions()
        return {group.partition(".")[0] for group in stored}

    async def start(self, *, absent: Sequence[str] = ()) -> None:
        """Begin to deliver."""
        self._absent = absent
        self._outbox = Outbox(self._database)
        self._tail = await self._outbox.end()
        self._database.on_events(self._wake.set)
        self._tasks = [
            asyncio.create_task(self._pump(), name="broker pump"),
            asyncio.create_task(self._sweep(), name="broker sweep"),
        ]
        self._tasks[0].add_done_callback(lambda _: self._wake_all())

    async def subscribe(self, topic: str, group: str | None) -> EmbeddedSubscription:
        """Take a place in a topic."""
        if not self._tasks:
            await self.start()
        subscription = EmbeddedSubscription(self, topic, group)
        subscription.last = self._tail if group is None else await self._outbox.position(group)
        subscription.handled = subscription.last
        self._subscriptions.append(subscription)
        self.wake()
        return subscription

    async def leave(self, subscription: EmbeddedSubscription) -> None:
        """Forget a subscription, and store its place."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            await self._store_if_possible()

    async def close(self) -> None:
        """Stop delivering; positions are stored."""
        if not self._tasks:
            return
        if self._storing is not None:
            self._tasks.append(self._storing)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._store_if_possible()

    def wake(self) -> None:
        """Let the pump look."""
        self._wake.set()

    def check(self) -> None:
        """Raise what ended the pump, if anything did."""
        if self._tasks and self._tasks[0].done():
            self._tasks[0].result()

    def skipped(self, topic: str) -> None:
        """Count a message that a slow listener without a group will not see."""
        self._metrics.count("armillary_broker_skipped_total", topic=topic)

    def moved(self, subscription: EmbeddedSubscription) -> None:
        """Remember how far a group came, and store it soon."""
        if subscription.group is None:
            return
        self._moved[subscription.group] = subscription.handled
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_soon(), name="broker positions")

    async def _store_soon(self) -> None:
        await self._clock.sleep(_STORE_AFTER)
        await self._store_if_possible()

    async def _store_if_possible(self) -> None:
        """Store what can be stored: where a position is older, messages just come again."""
        try:
            await self._store()
        except Unavailable as error:
            _log.warning("the positions of consumers are not stored yet: %s", error)

    async def _store(self) -> None:
        while self._moved:
            moved, self._moved = self._moved, {}
            try:
                await self._outbox.store(moved)
            except Unavailable:
                self._moved = moved | self._moved
                raise

    def _wake_all(self) -> None:
        for subscription in self._subscriptions:
            subscription.wake()

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep(_SWEEP)
            self._unread += _TRIM_AFTER
            self._wake.set()

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._deliver()
                for subscription in list(self._subscriptions):
                    if subscription.behind and subscription.room >= _READ:
                        await self._catch_up(subscription)
                if self._unread >= _TRIM_AFTER:
                    self._unread = 0
                    await self._trim()
            except Unavailable as error:
                self._outage.lasts("messages wait, the outbox cannot be read", error)
                await self._clock.sleep(_AWAY)
                self._wake.set()
            else:
                self._outage.over("the outbox is read")
            await self._clock.sleep(_PACE)

    async def _deliver(self) -> None:
        """Read what is new, once, and queue it for all who listen to its topic."""
        messages, unsettled = await self._outbox.after(self._tail, limit=_READ)
        by_topic: dict[str, list[Message]] = {}
        for message in messages:
            by_topic.setdefault(message.topic, []).append(message)
        for subscription in self._subscriptions:
            if subscription.topic in by_topic:
                subscription.offer(by_topic[subscription.topic])
        if messages:
            self._tail = messages[-1].place
            self._unread += len(messages)
        if unsettled or len(messages) == _READ:
            self._wake.set()

    async def _catch_up(self, subscription: EmbeddedSubscription) -> None:
        """Read for one that fell behind; the pump alone reads, so that nothing slips between."""
        messages, unsettled = await self._outbox.after(
            subscription.last, limit=_READ, topic=subscription.topic
        )
        subscription.take(messages)
        subscription.behind = len(messages) == _READ
        if subscription.behind or unsettled:
            self._wake.set()

    async def _trim(self) -> None:
        stored = await self._outbox.positions() if self._absent else {}
        here = [place for each in self._subscriptions if (place := each.passed) is not None]
        place = floor(end=self._tail, here=here, absent=self._absent, stored=stored)
        if place > START:
            while await self._outbox.trim(place, limit=_TRIM) == _TRIM:
                await self._clock.sleep(0)
