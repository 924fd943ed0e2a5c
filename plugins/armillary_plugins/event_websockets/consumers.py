"""The consumer that hands events to the streams of this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from armillary import Consumer
from armillary.broker import Message
from armillary.events.envelope import TOPIC
from armillary_plugins.event_websockets.subscriptions import subscriptions_of

if TYPE_CHECKING:
    from armillary import Core


class FanOut(Consumer):
    """Hands on what happens from now on; it has no group, so every process hears everything."""

    name = "event_websockets"
    topic = TOPIC
    group = None
    batch = 500

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._subscriptions = subscriptions_of(core)
        core.metrics.gauge("armillary_event_streams", lambda: len(self._subscriptions))

    async def handle(self, messages: Sequence[Message]) -> None:
        """Match each event once with every stream of its workspace."""
        dropped = sum(
            self._subscriptions.publish(message.workspace, message.body) for message in messages
        )
        if dropped:
            self.core.metrics.count("armillary_events_out_dropped", dropped)
