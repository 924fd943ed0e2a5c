"""The part of a process that answers requests, over sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from armillary.clock import Clock
from armillary.connections import Dawdlers, Requests, Sockets
from armillary.listening import BACKLOG

if TYPE_CHECKING:
    from armillary.core import Core
    from armillary.front import Front

_KEEP_ALIVE = 75
"""Seconds an idle connection stays: longer than clients keep theirs, so that they end it."""
_GRACE = 5


class _Uvicorn(uvicorn.Server):
    """The supervisor owns the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


class Web:
    """The part that answers requests."""

    def __init__(self, core: Core, app: Front, sock: socket.socket, *, room: int) -> None:
        self._sock = sock
        self._clock: Clock = core.clock
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http=cast("Any", partial(Requests, room=room, answering=app)),
                ws=Sockets,
                ws_ping_interval=20,
                ws_ping_timeout=20,
                ws_per_message_deflate=False,
                loop="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
                backlog=BACKLOG,
            )
        )
        self._dawdlers = Dawdlers(
            self._server.server_state.connections,
            core.clock,
            core.metrics,
            patience=core.settings.server.patience,
        )
        self.looking: asyncio.Task[None]
        self.task: asyncio.Task[None]

    async def start(self) -> None:
        """Answer from now on."""
        self.task = asyncio.create_task(self._server.serve(sockets=[self._sock]), name="web")
        self.looking = asyncio.create_task(self._dawdlers.run(), name="dawdlers")
        while not self._server.started and not self.task.done():
            await self._clock.sleep(0.001)

    async def stop(self) -> None:
        """Take nothing new, and answer what has begun."""
        self._server.should_exit = True
        await asyncio.wait({self.task})
        self.looking.cancel()
