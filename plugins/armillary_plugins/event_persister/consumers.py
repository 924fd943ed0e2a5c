"""The consumer that stores events."""

from __future__ import annotations

from collections.abc import Sequence

from armillary import Consumer
from armillary.broker import Message
from armillary.db.unit import Unit
from armillary.events.envelope import TOPIC
from armillary_plugins.events.repository.storing import insert_events, new_event


class StoreEvents(Consumer):
    """Stores what commits put into the outbox, a batch in a transaction."""

    name = "event_persister"
    topic = TOPIC
    group = "event_persister"
    batch = 200

    async def handle(self, messages: Sequence[Message]) -> None:
        """Store a batch; what is stored already is left out."""
        events = [new_event(message.workspace, message.body) for message in messages]

        async def store(unit: Unit) -> int:
            return await insert_events(unit, events)

        stored = await self.core.database.write(store, workspace=None)
        self.core.metrics.count("armillary_events_stored", stored)
