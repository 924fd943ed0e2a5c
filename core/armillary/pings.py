"""Pongs that mean something: a ping is answered once everything sent before it is dealt with.

Clients that send events ask by a ping how far the server is, and forget what they sent before it
once the pong is there.  A library that answers pings by itself answers before anything is
durable.  Here a socket may ask for its pings in the order of its messages and answer them
itself; until it does, and for every other socket, they are answered at once.

Our own pings only find out who has gone.  The pong of a client that sends faster than we can
keep lies behind what we have not read yet, so whoever is heard, or waits to be, is there.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from armillary.api_socket import ORDERED, PING


class PingsInOrder(WebSocketsSansIOProtocol):
    """The websocket protocol with pings put among the messages where a socket asks for that."""

    _heard = False
    """Whether anything came since we pinged, or since we last looked."""

    def data_received(self, data: bytes) -> None:
        """Note that somebody is there."""
        self._heard = True
        super().data_received(data)

    def send_keepalive_ping(self) -> None:
        """Ask whether somebody is there."""
        self._heard = False
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """Give up whoever was silent; whoever was not gets as long again."""
        if not (self._heard or self.read_paused) or self.ping_timeout is None:
            super().keepalive_timeout()
            return
        self._heard = False
        self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)

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
