"""What a connection may cost: who dawdles is sent away, and there is room for so many.

uvicorn waits without end for the rest of a request, for an answer to be taken, and for a first
byte; nothing limits the head of a request, nor how many connections there are.

::

    connected ──▶ head ──▶ body ──▶ (our turn) ──▶ answer ──▶ rest ──▶ head …
                  30 s     120 s                   30 s in     75 s
                                                   which nothing of it is taken

Every few seconds a look at all connections finds who has been in one of these places for too
long; so nothing is set up, measured or cancelled for a request that is quick.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from armillary.clock import Clock
from armillary.fast_path import Answering, Pending, Short, taken, written
from armillary.front import SERVER_FAULT
from armillary.metrics import Metrics
from armillary.pings import PingsInOrder
from armillary.transport import Gathering

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

    from armillary.api import Answer

_log = logging.getLogger("armillary.connections")
_FOR_A_BODY = 4
"""A body, of which there may be 16 MiB, has so many times the time of a head."""
_LOOKS = 6
"""How often one who dawdles is looked at before he is sent away."""
_LONGEST = 30.0
"""Seconds of patience, beyond which looks come no less often: others are at rest meanwhile."""
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


class Awaited(NamedTuple):
    """How many seconds we wait for a peer, and how we see that he has done something."""

    seconds: float
    mark: object
    rests: bool = False
    """Whether he may rest, and is let go with a good-bye."""


class Requests(HttpToolsProtocol):
    """HTTP with a limit on heads and on how many connections there are, and a short way."""

    _head = 0
    """Bytes of a head that is not whole yet."""
    _in_head = False
    _answered = 0

    def __init__(
        self, *args: Any, room: int, answering: Answering | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._room = room
        self._hot = answering
        self._answering: RequestResponseCycle | Short | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or say that there are too many."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport)))
        if len(self.connections) > self._room:
            transport.write(_FULL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse a head without end."""
        super().data_received(data)
        if not self._in_head:
            self._head = 0
            return
        self._head += len(data)
        if self._head > _MAX_HEAD and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request; what is only needed on the long way is made there."""
        self._in_head = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Send a hot request the short way, unless another is still being answered."""
        self._in_head = False
        short = self._short()
        if short is None:
            self._long()
        else:
            self._answering = short
            self.cycle = cast("RequestResponseCycle", short)

    def _short(self) -> Short | None:
        cycle: RequestResponseCycle | None = self.cycle
        parser = self.parser
        if (
            self._hot is None
            or (cycle is not None and not cycle.response_complete)
            or self.flow.write_paused
            or parser.should_upgrade()
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
        ):
            return None
        return taken(self._hot, parser.get_method(), self.url, self.headers)

    def _long(self) -> None:
        """Make up for what uvicorn does when a request begins."""
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expected
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Answer a request on the short way as soon as it is whole."""
        super().on_message_complete()
        cycle: object = self.cycle
        if isinstance(cycle, Short) and self._hot and not cycle.response_complete:
            self._answer(cycle, self._hot)

    def _answer(self, short: Short, hot: Answering) -> None:
        work = hot.answer(short.found, short.headers, short.query, bytes(short.body))
        if hot.at_once:
            Pending(work, partial(self._write, short), self.transport.close).begin()
            return
        task = self.loop.create_task(work)
        self.tasks.add(cast("asyncio.Task[None]", task))
        task.add_done_callback(partial(self._finish, short))

    def _finish(self, short: Short, task: asyncio.Task[Answer]) -> None:
        self.tasks.discard(cast("asyncio.Task[None]", task))
        if task.cancelled():
            self.transport.close()
        else:
            self._write(short, task.result())

    def _write(self, short: Short, answer: Answer) -> None:
        short.response_complete = True
        if short.disconnected or self.transport.is_closing():
            return
        defaults = self.server_state.default_headers
        try:
            whole = written(answer, defaults, keep_alive=short.keep_alive)
        except ValueError:
            _log.exception("an answer could not be written")
            whole = written(SERVER_FAULT, defaults, keep_alive=short.keep_alive)
        self.transport.write(whole)
        if not short.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Go on with what was asked meanwhile; those who look for dawdlers end long rests."""
        self._answered += 1
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

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

    def awaits(self, patience: float) -> Awaited | None:
        """Say what we wait for the peer to do; None while it is our turn."""
        if self.flow.write_paused or self.transport.is_closing():
            return Awaited(patience, ("answer", self.transport.get_write_buffer_size()))
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            if self._in_head or not self._answered:
                return Awaited(patience, ("head", self._answered))
            return Awaited(self.timeout_keep_alive, ("rest", self._answered), rests=True)
        if cycle.more_body:
            return Awaited(patience * _FOR_A_BODY, ("body", self._answered))
        return None


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

    def awaits(self, patience: float) -> Awaited | None:
        """Say what we wait for the peer to do; None while it is our turn, or he may rest."""
        if self.writable.is_set() and not self.transport.is_closing():
            return None
        return Awaited(patience, ("frame", self.transport.get_write_buffer_size()))


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
            await self._clock.sleep(min(self._patience, _LONGEST) / _LOOKS)
            self.look()

    def look(self) -> None:
        """Look at every connection once."""
        now = self._clock.monotonic()
        waiting: dict[Requests | Sockets, tuple[float, object]] = {}
        for connection in list(self._connections):
            if not isinstance(connection, Requests | Sockets):
                continue
            awaited = connection.awaits(self._patience)
            if awaited is None:
                continue
            since, before = self._since.get(connection, (now, awaited.mark))
            if before != awaited.mark:
                since = now
            elif now - since >= awaited.seconds:
                self._end(connection, awaited)
                continue
            waiting[connection] = (since, awaited.mark)
        self._since = waiting

    def _end(self, connection: Requests | Sockets, awaited: Awaited) -> None:
        if awaited.rests:
            connection.transport.close()
        else:
            _cut_off(connection.transport)
            self._metrics.count("armillary_connections_cut_off_total")


def _cut_off(transport: asyncio.Transport) -> None:
    """End a connection at once: the system shall not keep for minutes what nobody takes."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
