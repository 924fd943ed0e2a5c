"""What a connection may cost: who dawdles is sent away, and there is room for so many.

uvicorn waits without end for the rest of a request, for an answer to be taken, and for a first
byte; nothing limits the head of a request, nor how many connections there are.

::

    connected ──▶ head ──▶ body ──▶ (our turn) ──▶ answer ──▶ idle ──▶ head …
                  30 s     120 s                   30 s in which nothing of it is taken

Every few seconds a look at all connections finds who has been in one of these places for too
long; so nothing is set up, measured or cancelled for a request that is quick.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from armillary.clock import Clock
from armillary.metrics import Metrics
from armillary.pings import PingsInOrder
from armillary.transport import Gathering

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_FOR_A_BODY = 4
"""A body, of which there may be 16 MiB, has so many times the time of a head."""
_LOOKS = 6
"""How often one who dawdles is looked at before he is sent away."""
_MAX_HEAD = 256 * 1024
"""Bytes of one request's head."""
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n"
    b"content-length: 0\r\n\r\n"
)
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-length: 0\r\n\r\n"
)
_AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""What makes the system forget a connection with all that nobody has taken."""

Awaited: TypeAlias = tuple[float, object]
"""How many times the patience, and what is another as soon as the peer has done something."""


class Requests(HttpToolsProtocol):
    """HTTP with a limit on heads and on how many connections there are."""

    _head = 0
    """Bytes of a head that is not whole yet."""

    def __init__(self, *args: Any, room: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = room
        self._answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or say that there are too many."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport)))
        if len(self.connections) > self._room:
            transport.write(_FULL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse a head without end."""
        super().data_received(data)
        scope: object | None = self.scope
        cycle: RequestResponseCycle | None = self.cycle
        if scope is None or (cycle is not None and cycle.scope is scope):
            self._head = 0
            return
        self._head += len(data)
        if self._head > _MAX_HEAD and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request being answered too: uvicorn tells the one that was read last."""
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over as it is: websockets write their frames whole."""
        self.transport = cast("Gathering", self.transport).released()
        super().handle_websocket_upgrade()

    def awaits(self) -> Awaited | None:
        """Say what we wait for the peer to do; None while it is our turn, or he may rest."""
        if self.flow.write_paused or self.transport.is_closing():
            return 1, ("answer", self.transport.get_write_buffer_size())
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return None if self.timeout_keep_alive_task else (1, ("head", id(self.scope)))
        return (_FOR_A_BODY, ("body", id(cycle))) if cycle.more_body else None


class Sockets(PingsInOrder):
    """Websockets, of which each is heard only while it takes what it is sent."""

    def pause_writing(self) -> None:
        """Hear nobody who does not take what he is sent: he could ask for ever more."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Hear him again."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    def keepalive_timeout(self) -> None:
        """Leave whoever has not taken our ping yet to those who look for dawdlers."""
        self._heard = self._heard or not self.writable.is_set()
        super().keepalive_timeout()

    def awaits(self) -> Awaited | None:
        """Say what we wait for the peer to do; None while it is our turn, or he may rest."""
        if self.writable.is_set() and not self.transport.is_closing():
            return None
        return 1, ("frame", self.transport.get_write_buffer_size())


class Dawdlers:
    """Finds who has kept us waiting for longer than ``patience`` seconds, and cuts him off."""

    def __init__(
        self, connections: Iterable[object], clock: Clock, metrics: Metrics, *, patience: float
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._metrics = metrics
        self._patience = patience
        self._since: dict[Requests | Sockets, tuple[float, object]] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(self._patience / _LOOKS)
            self.look()

    def look(self) -> None:
        """Look at every connection once."""
        now = self._clock.monotonic()
        waiting: dict[Requests | Sockets, tuple[float, object]] = {}
        for connection in list(self._connections):
            if not isinstance(connection, Requests | Sockets):
                continue
            awaited = connection.awaits()
            if awaited is None:
                continue
            times, mark = awaited
            since, before = self._since.get(connection, (now, mark))
            if before != mark:
                since = now
            elif now - since >= times * self._patience:
                _cut_off(connection.transport)
                self._metrics.count("armillary_connections_cut_off_total")
                continue
            waiting[connection] = (since, mark)
        self._since = waiting


def _cut_off(transport: asyncio.Transport) -> None:
    """End a connection at once: the system shall not keep for minutes what nobody takes."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
