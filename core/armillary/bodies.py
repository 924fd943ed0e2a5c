"""How much of requests' bodies is in memory: of one of them, and of all that are half sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from armillary.errors import Refused

MAX_BODY = 16 * 1024 * 1024
"""Bytes of one body."""
ROOM = 256 * 1024 * 1024
"""Bytes of all bodies whose rest is still to come."""


class Bodies:
    """What has come of bodies that are not whole yet."""

    def __init__(self, *, room: int = ROOM) -> None:
        self.held = 0
        self.room = room


class Body:
    """The messages of one request, counted as they come."""

    __slots__ = ("_bodies", "_held", "_receive", "_taken")

    def __init__(
        self,
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        headers: Mapping[str, str],
        bodies: Bodies,
    ) -> None:
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > MAX_BODY:
            raise _too_large()
        self._receive = receive
        self._bodies = bodies
        self._taken = 0
        self._held = 0

    async def receive(self) -> MutableMapping[str, Any]:
        """Receive; Refused for a body over the limit (413), or for which there is no room now."""
        message = await self._receive()
        size = len(message.get("body") or b"")
        self._taken += size
        if self._taken > MAX_BODY:
            raise _too_large()
        if message.get("more_body"):
            self._held += size
            self._bodies.held += size
            if self._bodies.held > self._bodies.room:
                raise Refused(
                    503,
                    "Too many large requests are being received at once: try again later.",
                    headers={"Retry-After": "1"},
                )
        return message

    def end(self) -> None:
        """Say that the request is over."""
        self._bodies.held -= self._held
        self._held = 0


def _too_large() -> Refused:
    return Refused(
        413,
        f"The request's body is larger than {MAX_BODY >> 20} MiB, the limit: send it in parts, or "
        "keep large data elsewhere and send where it is.",
    )
