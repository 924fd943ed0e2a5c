"""A connection as answers are written to it: head and body leave in one system call.

uvicorn writes the head of an answer and its body one after the other, and each write is a system
call that wakes the peer.  Here a first piece waits for the second, at most until the loop turns.
"""

from __future__ import annotations

import asyncio
from typing import Any

_LARGE = 64 * 1024
"""Bytes: beyond it a copy costs more than a second call."""


class Gathering:
    """A transport whose writes go out two by two; all else is the transport's own."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Hold a piece back, or send it with the one that was."""
        held = self._held
        if held is None:
            self._held = data
            self._loop.call_soon(self._flush)
            return
        self._held = None
        if len(data) < _LARGE:
            self._transport.write(held + data)
        else:
            self._transport.write(held)
            self._transport.write(data)

    def close(self) -> None:
        """Send what is held, and close."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether the transport is closed or about to be."""
        return self._transport.is_closing()

    def released(self) -> asyncio.Transport:
        """Give the transport itself back, for a protocol that takes over."""
        self._flush()
        return self._transport

    def get_write_buffer_size(self) -> int:
        """Count what is held too."""
        return self._transport.get_write_buffer_size() + len(self._held or b"")

    def _flush(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._transport.write(held)
