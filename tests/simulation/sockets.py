"""A websocket between a client and the server, in order until it breaks.

::

    client ── text, ping ──▶ later, in order ──▶ receive() of the app
       ▲                                               │
       └──── text, pong, close ◀── later, in order ◀───┘

What is under way when a connection breaks is lost, and either side hears of it late: until then
it speaks to nobody.  A ping is answered as the protocol of the real server answers it, at once or,
where the socket asked for that, in the order of the messages.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from armillary.api_socket import ORDERED, PING
from tests.simulation.timeline import Timeline, here

if TYPE_CHECKING:
    from tests.simulation.network import Network

_NOTICED = 40.0
"""Seconds within which either side finds out that the other is not there any more."""


class Closed(Exception):
    """The connection is over; ``code`` is the peer's word, None where it broke."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


class _Way:
    """One direction: calls happen a little later, in the order they were sent."""

    def __init__(self, loop: Timeline, nobody: contextvars.Context) -> None:
        self._loop = loop
        self._nobody = nobody
        self._last = 0.0
        self._calls: deque[Callable[[], None]] = deque()

    def send(self, delay: float, call: Callable[[], None]) -> None:
        self._last = max(self._last, self._loop.elapsed + delay)
        self._calls.append(call)
        self._loop.call_at(self._last, self._next, context=self._nobody)

    def _next(self) -> None:
        # Timers of one moment come in any order; what was sent does not.
        self._calls.popleft()()


class Connection:
    """The client's end."""

    def __init__(self, network: Network, path: str, agent: str) -> None:
        self._network = network
        self._loop = network.server.loop
        self._server = network.server
        # What is sent arrives whether or not the sender is still there.
        nobody = contextvars.Context()
        self._there = _Way(self._loop, nobody)
        self._back = _Way(self._loop, nobody)
        self._nobody = nobody
        self._whole = True
        self._accepted = False
        self._texts: deque[str] = deque()
        self._over: Closed | None = None
        self._heard: asyncio.Event = asyncio.Event()
        self._pongs: deque[asyncio.Future[None]] = deque()
        self._app = _Served(self, path, agent)

    async def open(self) -> None:
        """Be accepted, or Closed."""
        await self._network.travel()
        if not self._server.alive:
            raise Closed
        self._server.process.on_death.append(self._lost_soon)
        person = here()
        if person is not None:
            person.on_death.append(self.leave)
        self._server.spawn(self._app.serve)
        while not self._accepted:
            await self._wait()

    async def send(self, text: str) -> None:
        """Send a text; that it was sent says nothing of its arrival."""
        self._refuse_if_over()
        if self._holds():
            self._there.send(self._network.delay(), lambda: self._app.put_text(text))
        await asyncio.sleep(0)

    async def receive(self) -> str:
        """Wait for a text, or Closed."""
        while not self._texts:
            await self._wait()
        return self._texts.popleft()

    async def ping(self) -> None:
        """Wait for the pong of a ping sent now, or Closed."""
        self._refuse_if_over()
        pong = self._loop.create_future()
        self._pongs.append(pong)
        if self._holds():
            self._there.send(self._network.delay(), self._app.put_ping)
        await pong

    def leave(self) -> None:
        """Close the connection from this side."""
        self._end(Closed())
        self._there.send(self._network.delay(), self._app.gone)

    async def _wait(self) -> None:
        self._refuse_if_over()
        self._heard.clear()
        await self._heard.wait()

    def _refuse_if_over(self) -> None:
        if self._over is not None:
            raise Closed(self._over.code)

    def _holds(self) -> bool:
        """Tell whether a message gets through; one that breaks the line takes the rest along."""
        network = self._network
        if self._whole and network.chance.random() < network.faults.cut:
            self._whole = False
            for way, end in ((self._back, self._lost), (self._there, self._app.gone)):
                way.send(network.chance.uniform(0, _NOTICED), end)
        return self._whole

    def _lost_soon(self) -> None:
        self._whole = False
        self._back.send(self._network.delay(), self._lost)

    def _lost(self) -> None:
        self._end(Closed())

    def _end(self, how: Closed) -> None:
        if self._over is None:
            self._over = how
        for pong in self._pongs:
            if not pong.done():
                pong.set_exception(Closed(how.code))
                pong.exception()
        self._pongs.clear()
        self._heard.set()

    # What the server sends.

    def back(self, message: dict[str, Any]) -> bool:
        """Bring a message of the server's to the client; False where the line is dead."""
        if not self._holds():
            return False
        self._back.send(self._network.delay(), lambda: self._arrived(message))
        return True

    def pong(self) -> None:
        """Bring a pong to the client."""
        self.back({"type": "pong"})

    def _arrived(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "pong":
                if self._pongs:
                    first = self._pongs.popleft()
                    if not first.done():
                        first.set_result(None)
            case "websocket.accept":
                self._accepted = True
            case "websocket.send":
                self._texts.append(message["text"])
            case _:
                self._end(Closed(message.get("code", 1000), message.get("reason", "")))
        self._heard.set()


class _Served:
    """The server's end: what its app receives and sends."""

    def __init__(self, connection: Connection, path: str, agent: str) -> None:
        self._connection = connection
        self._server = connection._server
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._gone = False
        self._scope: dict[str, Any] = {
            "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1",
            "scheme": "ws", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "subprotocols": ["prefect"],
            "headers": [(b"host", b"127.0.0.1:4200"), (b"user-agent", agent.encode())],
            "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 4200), "state": {},
        }  # fmt: skip

    async def serve(self) -> None:
        await self._server.app(self._scope, self._inbox.get, self._send)
        if not self._gone:
            self._connection.back({"type": "websocket.close", "code": 1000})

    def put_text(self, text: str) -> None:
        if not self._gone:
            self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    def put_ping(self) -> None:
        if self._gone or not self._server.alive:
            return
        if self._scope.get(ORDERED):
            self._inbox.put_nowait({"type": PING, "pong": self._connection.pong})
        else:
            self._connection.pong()

    def gone(self) -> None:
        if not self._gone:
            self._gone = True
            self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def _send(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        if self._gone:
            reason = "the connection is closed"
            raise OSError(reason)
        self._connection.back(message)
