"""A websocket as handlers see it, and the handshake every ``prefect`` socket begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

import msgspec

from armillary.api import Call
from armillary.errors import Unavailable

ORDERED = "armillary.ordered_pings"
"""The key in the connection's scope by which a socket asks for its pings among the messages."""
PING = "websocket.ping"
"""The type of the message a ping then is; ``pong`` in it answers."""

PROTOCOL = "prefect"
_MAX_CLOSE_REASON = 120
"""Bytes: a close frame has room for three more."""


class SocketClosed(Exception):
    """The peer has gone; ends a handler quietly."""


class Socket:
    """One websocket connection, text frames only."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        self.offered: tuple[str, ...] = tuple(scope.get("subprotocols") or ())
        self._scope = scope
        self._receive = receive
        self._send = send
        self._open = False
        self._checkpoint: Callable[[], Awaitable[None]] | None = None

    def answer_pings_after(self, checkpoint: Callable[[], Awaitable[None]]) -> None:
        """Answer a ping only once ``checkpoint`` returned, in the order of the messages.

        From then on somebody has to wait in :meth:`receive_text` for pings to be answered.
        """
        self._checkpoint = checkpoint
        self._scope[ORDERED] = True

    async def accept(self, protocol: str | None = None) -> None:
        """Accept the upgrade."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            raise SocketClosed
        await self._send({"type": "websocket.accept", "subprotocol": protocol})
        self._open = True

    async def receive_text(self) -> str:
        """Return the next text frame; SocketClosed when the peer has gone."""
        message = await self._receive()
        while message["type"] == PING:
            if self._checkpoint is not None:
                await self._checkpoint()
            message["pong"]()
            message = await self._receive()
        if message["type"] != "websocket.receive":
            self._open = False
            raise SocketClosed
        text = message.get("text")
        if text is None:
            data = message.get("bytes") or b""
            try:
                return bytes(data).decode()
            except UnicodeDecodeError as error:
                await self.close(1007, "Text frames only")
                raise SocketClosed from error
        return str(text)

    async def send_text(self, text: str) -> None:
        """Send a text frame; SocketClosed when the peer has gone."""
        if not self._open:
            raise SocketClosed
        try:
            await self._send({"type": "websocket.send", "text": text})
        except (RuntimeError, OSError) as error:
            self._open = False
            raise SocketClosed from error

    async def send_json(self, value: object) -> None:
        """Encode and send."""
        await self.send_text(msgspec.json.encode(value).decode())

    async def close(self, code: int, reason: str = "") -> None:
        """Close with a code; nothing happens if the peer has gone already."""
        was_open, self._open = self._open, False
        if was_open:
            short = reason.encode()[:_MAX_CLOSE_REASON].decode(errors="ignore")
            await self._send({"type": "websocket.close", "code": code, "reason": short})


class _First(msgspec.Struct):
    type: str = ""
    token: str | None = None


async def handshake(call: Call, socket: Socket) -> bool:  # noqa: ARG001 - auth asks the call later
    """Accept and authenticate; False if the socket was closed instead.

    With the subprotocol ``prefect`` the first frame must be ``{"type": "auth", ...}`` and is
    answered by ``auth_success``.  Clients from before the handshake offer no subprotocol and are
    let in as they are, since nobody signs in here.
    """
    if PROTOCOL not in socket.offered:
        await socket.accept()
        return True
    await socket.accept(PROTOCOL)
    try:
        first = msgspec.json.decode(await socket.receive_text(), type=_First)
    except (msgspec.DecodeError, RecursionError):
        first = _First()
    if first.type != "auth":
        await socket.close(1008, "Expected 'auth' message")
        return False
    await socket.send_json({"type": "auth_success"})
    return True


async def send_until_left(socket: Socket, sending: Coroutine[Any, Any, None]) -> None:
    """Let what only sends run until the peer goes; a peer that speaks meanwhile is sent away."""
    sender = asyncio.ensure_future(sending)
    listener = asyncio.ensure_future(socket.receive_text())
    try:
        await asyncio.wait({sender, listener}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        spoke = listener.done() and not listener.cancelled() and listener.exception() is None
        failure = sender.exception() if sender.done() and not sender.cancelled() else None
        for task in (sender, listener):
            task.cancel()
        await asyncio.gather(sender, listener, return_exceptions=True)
    if failure is not None and not isinstance(failure, SocketClosed | Unavailable):
        raise failure
    if spoke:
        await socket.close(1002, "No message is expected after the filter")
    elif isinstance(failure, Unavailable):
        await socket.close(1013, "Try again later")
