"""Tells the process of an SDK flow that the signal it is about to get means: you are cancelled.

The process connects to a port of the loopback and says a token it was given; before the signal it
is sent one byte, which it confirms with another.  It then runs its hooks for cancellations and
ends as cancelled; without that word it would take the signal for a crash.
"""

from __future__ import annotations

import asyncio
import contextlib

from armillary.clock import Clock
from armillary.ids import Ids

_CANCEL, _CONFIRMED = b"c", b"a"
_HELLO = b"\x00PF"
_OLD = _HELLO + b"\x01\x00"
"""The answer to a greeting: the first version of this protocol, and nothing more."""
_LONGEST = 200
_PATIENCE = 1.0


class _Line:
    def __init__(self) -> None:
        self.writer: asyncio.StreamWriter | None = None
        self.confirmed = asyncio.Event()


class Control:
    """The port, and who is connected."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._server: asyncio.Server | None = None
        self._lines: dict[str, _Line] = {}

    async def invite(self) -> tuple[str, dict[str, str]]:
        """Return a token for a process, and the variables by which it finds the port."""
        if self._server is None:
            try:
                self._server = await asyncio.start_server(
                    self._welcome, "127.0.0.1", 0, limit=_LONGEST
                )
            except OSError:
                return "", {}
        token = self._ids.uuid4().replace("-", "")
        self._lines[token] = _Line()
        port = self._server.sockets[0].getsockname()[1]
        return token, {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}

    async def cancel(self, token: str) -> None:
        """Announce a cancellation, and wait a moment for it to be confirmed."""
        line = self._lines.get(token)
        if line is None or line.writer is None:
            return
        with contextlib.suppress(OSError):
            line.writer.write(_CANCEL)
            await line.writer.drain()
        wait = asyncio.create_task(line.confirmed.wait())
        sleep = asyncio.create_task(self._clock.sleep(_PATIENCE))
        await asyncio.wait({wait, sleep}, return_when=asyncio.FIRST_COMPLETED)
        wait.cancel()
        sleep.cancel()

    def forget(self, token: str) -> None:
        """Let a process's connection go."""
        line = self._lines.pop(token, None)
        if line is not None and line.writer is not None:
            line.writer.close()

    def close(self) -> None:
        """Close the port."""
        for token in list(self._lines):
            self.forget(token)
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line: _Line | None = None
        try:
            token = (await reader.readline()).strip().decode("ascii", "replace")
            line = self._lines.get(token)
            if line is None or line.writer is not None:
                return
            line.writer = writer
            while byte := await reader.read(1):
                if byte == _HELLO[:1]:
                    await reader.readexactly(len(_OLD) - 1)
                    writer.write(_OLD)
                elif byte == _CONFIRMED:
                    line.confirmed.set()
        except (OSError, EOFError, ValueError):
            return
        finally:
            if line is not None and line.writer is writer:
                line.writer = None
            writer.close()
