"""A service that handles the messages of a topic, in order, at least once each.

::

    subscribe ──▶ next batch ──▶ handle ──▶ position moves on ──┐
                     ▲            │ raises                       │
                     │            └──▶ again later, then one by one, then left out with an error
                     └───────────────────────────────────────────┘

With a ``group`` the position is stored, so that nothing is lost over a restart, and what was
handled last may come again.  Without one, each process is told what happens while it runs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from armillary.broker import Message, Subscription
from armillary.errors import Unavailable
from armillary.outage import Outage
from armillary.services.service import Service

_ATTEMPTS = 5
_WHILE_AWAY = 1.0
"""Seconds between two attempts while the database is away."""


class Consumer(Service):
    """Handles messages.  ``group`` is the plugin's name, or begins with it and a dot."""

    topic: ClassVar[str]
    group: ClassVar[str | None] = None
    batch: int = 100
    """Messages handled together at most."""

    subscription: Subscription

    @abstractmethod
    async def handle(self, messages: Sequence[Message]) -> None:
        """Handle a batch.  It may come again, whole or in part: be idempotent by message id."""

    async def open(self) -> None:
        """Take the place in the topic."""
        self.subscription = await self.core.broker.subscribe(self.topic, self.group)

    async def run(self) -> None:
        """Handle what comes until cancelled."""
        while True:
            messages = await self.subscription.next(self.batch)
            await self._handled(messages)
            self.subscription.done()

    async def close(self) -> None:
        """Give the place back; a group's is stored."""
        await self.subscription.close()

    async def _handled(self, messages: Sequence[Message]) -> None:
        attempt, outage = 0, Outage(self.log, self.core.clock)
        while True:
            attempt += 1
            error = await self._failure(messages)
            if error is None:
                outage.over("messages are handled")
                return
            self.signal("failed", error)
            if isinstance(error, Unavailable):
                outage.lasts(f"{len(messages)} messages wait", error)
                attempt = 0
                await self.core.clock.sleep(_WHILE_AWAY)
                continue
            if attempt == _ATTEMPTS:
                break
            await self.core.clock.sleep(2.0**attempt / 2)
        if len(messages) > 1:
            for message in messages:
                await self._handled([message])
            return
        self.core.metrics.count("armillary_consumer_left_out_total", consumer=self.name)
        self.log.error("message %s is left out: %s", messages[0].id, error, exc_info=error)

    async def _failure(self, messages: Sequence[Message]) -> Exception | None:
        try:
            await self.handle(messages)
        except Exception as error:  # noqa: BLE001 - whatever it is, the batch is tried again
            self.record.went_wrong(self.core.clock.micros(), error)
            return error
        self.record.went_well(self.core.clock.micros())
        metrics = self.core.metrics
        metrics.count("armillary_consumer_handled_total", len(messages), consumer=self.name)
        self.signal("handled", messages)
        return None
