"""Pongs that mean something: a ping is answered once everything sent before it is dealt with.

Clients that send events ask by a ping how far the server is, and forget what they sent before it
once the pong is there.  A library that answers pings by itself answers before anything is
durable.  Here a socket may ask for its pings in the order of its messages and answer them
itself; until it does, and for every other socket, they are answered at once.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from armillary.api_socket import ORDERED, PING


class PingsInOrder(WebSocketsSansIOProtocol):
    """The websocket protocol with pings put among the messages where a socket asks for that."""

    def handle_ping(self) -> None:
        """Answer, or hand the answer on with the ping."""
        answer = b"".join(self.conn.data_to_send())
        if cast("dict[str, Any]", self.scope).get(ORDERED):
            message = {"type": PING, "pong": partial(self._answer, answer)}
            self.queue.put_nowait(cast("Any", message))
        else:
            self.transport.write(answer)

    def _answer(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
