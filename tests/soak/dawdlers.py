"""Thousands who dawdle, and some who never read, while normal clients go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from armillary.open_files import allow_many
from tests.soak import checks
from tests.soak.everybody import EVERYBODY
from tests.soak.load import Load, until
from tests.soak.server import Soaked

Say = Callable[[str], None]
MEMORY = 600 << 20
"""Bytes the server may have in memory while all of them are there."""
_HEAD = "POST /api/flows/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
_MARGIN = 20.0
_OTHERS = 40
"""Open files of the server that come and go with the load."""


@dataclass
class Crowd:
    """What a crowd came to."""

    wrong: list[str] = field(default_factory=list)
    most_memory: int = 0
    gone_after: float = 0.0
    answers: dict[str, int] = field(default_factory=dict)


class Dawdler:
    """A connection on which too little is said, or nothing is heard."""

    def __init__(
        self, kind: str, port: int, first: bytes, then: bytes = b"", *, drip: bool = False
    ) -> None:
        self.kind = kind
        self._then = then
        self._address = ("127.0.0.1", port)
        self._first = first
        self._drip = drip
        self._socket = socket.socket()

    async def begin(self) -> None:
        """Connect and say the first words."""
        # So little room that an answer soon has none: the rest then waits in the server.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        await loop.sock_sendall(self._socket, self._first)
        if self._then:
            await loop.sock_recv(self._socket, 1)  # frames may follow once the answer begins
            await loop.sock_sendall(self._socket, self._then)

    def drip(self) -> None:
        """Say a little more, if that is what this one does."""
        if self._drip:
            with contextlib.suppress(OSError):
                self._socket.send(b"x")

    def end(self) -> None:
        self._socket.close()


def dawdlers(port: int, count: int) -> list[Dawdler]:
    """So many of every kind in turn."""
    body = f"{_HEAD}Content-Length: 1000000\r\n\r\n".encode()
    greedy = b"GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20
    kinds: list[Callable[[], Dawdler]] = [
        lambda: Dawdler("says nothing", port, b""),
        lambda: Dawdler("slow head", port, f"{_HEAD}X-Slow: ".encode(), drip=True),
        lambda: Dawdler("half a body", port, body + b"x" * 50_000),
        lambda: Dawdler("slow body", port, body + b'{"name": "', drip=True),
        lambda: Dawdler("never reads an answer", port, greedy),
        lambda: Dawdler("never reads events", port, *_listening("/events/out")),
        lambda: Dawdler("never reads logs", port, *_listening("/logs/out")),
    ]
    return [kinds[number % len(kinds)]() for number in range(count)]


def _listening(path: str) -> tuple[bytes, bytes]:
    """A websocket's side of the conversation: the upgrade, and what asks for everything."""
    occurred = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    wanted = {} if path == "/logs/out" else {"occurred": occurred}
    upgrade = (
        f"GET /api{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: prefect\r\n\r\n"
    )
    said = [{"type": "auth", "token": None}, {"type": "filter", "filter": wanted}]
    return upgrade.encode(), b"".join(_frame(json.dumps(each).encode()) for each in said)


def _frame(text: bytes) -> bytes:
    """A text frame, masked with nothing."""
    size = len(text)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + text


async def crowd(database_url: str, folder: Path, say: Say, *, count: int, patience: float) -> Crowd:
    """Let so many dawdle; everybody else goes on, and in time they are sent away."""
    allow_many()
    outcome = Crowd()
    server = Soaked(folder, database_url, ARMILLARY_SERVER_PATIENCE=str(patience))
    load = Load(server.port)
    those: list[Dawdler] = []
    try:
        await server.recover()
        await load.prepare()
        load.start(EVERYBODY)
        await asyncio.sleep(1)
        before = server.open_files()
        those = dawdlers(server.port, count)
        began = time.monotonic()
        await asyncio.gather(*(each.begin() for each in those))
        say(f"  {count} came in {time.monotonic() - began:.1f} s, {server.open_files()} files open")
        await _sent_away(server, those, outcome, before=before, within=4 * patience + _MARGIN)
        outcome.gone_after = time.monotonic() - began
        if outcome.most_memory > MEMORY:
            outcome.wrong.append(f"it took {outcome.most_memory >> 20} MiB")
        await load.end()
        outcome.wrong += await checks.wrong(database_url, load.ledger)
        outcome.answers = dict(load.ledger.answers)
        for kind in ("lost", "socket lost", "503"):
            if load.ledger.answers[kind]:
                outcome.wrong.append(f"normal clients met {kind}: {load.ledger.answers[kind]}")
        outcome.wrong += [f"in the log: {line}" for line in server.faults()[:5]]
        if server.interrupt() != 0:
            outcome.wrong.append(f"it did not end cleanly: {server.log()[-500:]}")
    finally:
        for each in those:
            each.end()
        await load.abandon()
        server.kill()
    return outcome


async def _sent_away(
    server: Soaked, those: list[Dawdler], outcome: Crowd, *, before: int, within: float
) -> None:
    """Dawdle until the server has ended every one of the connections by itself."""
    told = time.monotonic()

    async def look() -> bool:
        nonlocal told
        if time.monotonic() - told > 1:
            told = time.monotonic()
            for each in those:
                each.drip()
        outcome.most_memory = max(outcome.most_memory, server.memory())
        await asyncio.sleep(0.1)
        # Asked of the server: who never reads does not see that he has been left.
        return server.open_files() <= before + _OTHERS

    if await until(look, within=within) is None:
        left = server.open_files() - before
        outcome.wrong.append(f"{left} connections are still there after {within:g} s")
