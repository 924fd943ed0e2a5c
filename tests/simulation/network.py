"""What lies between a client and the server, and what goes wrong there."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import msgspec

from tests.simulation.places import HERE, Place
from tests.simulation.server import Server
from tests.simulation.sockets import Connection

AGENT = "prefect/3.8.0 (API 0.8.4)"
_DELAY = (0.0003, 0.02)


class Lost(Exception):
    """No answer came, and nobody can say whether the request arrived."""


class Answer(NamedTuple):
    """Status, document, and after how many seconds to ask again."""

    status: int
    document: Any
    again: float | None


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How often what goes wrong, each between 0 and 1."""

    lost_request: float = 0.0
    lost_answer: float = 0.0
    repeated: float = 0.0
    broken: float = 0.0
    slow: float = 0.0
    cut: float = 0.0
    """How often a message of a websocket is the last one of its connection."""


class Network:
    """Brings requests to the server and answers back; ``place`` is whose API is asked."""

    place: Place = HERE
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """What every request says beside the usual."""

    def __init__(self, server: Server, chance: random.Random, faults: Faults) -> None:
        self.server = server
        self.chance = chance
        self.faults = faults

    async def connect(self, path: str) -> Connection:
        """Open a websocket; Closed if that fails."""
        connection = Connection(self, path, AGENT)
        await connection.open()
        return connection

    async def call(self, method: str, path: str, body: Any = None, *, agent: str = AGENT) -> Answer:
        """What is answered; Lost where no answer comes."""
        chance, faults = self.chance, self.faults
        await self.travel()
        if not self.server.alive or chance.random() < faults.lost_request:
            raise Lost
        content = b"" if body is None else msgspec.json.encode(body)
        if chance.random() < faults.repeated:
            self._deliver(method, path, content, agent)
        whole = chance.random() >= faults.broken
        sent = content if whole else content[: len(content) // 2]
        answer = self._deliver(method, path, sent, agent, whole=whole)
        try:
            status, text, again = await answer
        finally:
            await self.travel()
        if not whole or chance.random() < faults.lost_answer:
            raise Lost
        return Answer(status, msgspec.json.decode(text) if text else None, again)

    async def travel(self) -> None:
        """Take the time of one way."""
        await asyncio.sleep(self.delay())

    def delay(self) -> float:
        """Seconds that one way takes."""
        slow = self.chance.random() < self.faults.slow
        return self.chance.uniform(*_DELAY) * (500 if slow else 1)

    def _deliver(
        self, method: str, path: str, content: bytes, agent: str, *, whole: bool = True
    ) -> asyncio.Future[_Sent]:
        server = self.server
        exchange = _Exchange(server.loop.create_future(), content, whole=whole)
        server.process.on_death.append(exchange.lost)
        length = len(content) if whole else 2 * len(content)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path.partition("?")[0], "raw_path": path.encode(),
            "query_string": path.partition("?")[2].encode(), "root_path": "",
            "headers": [
                (b"host", b"127.0.0.1:4200"), (b"content-type", b"application/json"),
                (b"user-agent", agent.encode()), (b"content-length", str(length).encode()),
                *self.headers,
            ],
            "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 4200), "state": {},
        }  # fmt: skip
        server.spawn(lambda: exchange.serve(server.app, scope))
        return exchange.answer


_Sent: TypeAlias = tuple[int, bytes, float | None]


class _Exchange:
    """One request and its answer, as the server sees them."""

    def __init__(self, answer: asyncio.Future[_Sent], content: bytes, *, whole: bool) -> None:
        self.answer = answer
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._content: bytes | None = content
        self._whole = whole
        self._status = 0
        self._again: float | None = None
        self._body = b""

    def lost(self) -> None:
        """No answer comes any more."""
        if not self.answer.done():
            self.answer.set_exception(Lost())

    async def serve(self, app: Any, scope: dict[str, Any]) -> None:
        await app(scope, self._receive, self._send)
        self.lost()

    async def _receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self._content is not None:
            body, self._content = self._content, None
            return {"type": "http.request", "body": body, "more_body": not self._whole}
        if self._whole:
            await asyncio.get_running_loop().create_future()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await asyncio.sleep(0)
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = dict(message["headers"])
            self._again = float(headers[b"retry-after"]) if b"retry-after" in headers else None
            return
        self._body += message.get("body", b"")
        if not message.get("more_body") and not self.answer.done():
            self.answer.set_result((self._status, self._body, self._again))
