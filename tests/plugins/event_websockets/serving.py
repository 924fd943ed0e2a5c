"""A real server on the loopback, with the sockets of the core under test."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

import msgspec
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from armillary.core import Core
from armillary.pings import PingsInOrder
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear, app_of
from armillary_plugins.event_persister.consumers import StoreEvents
from armillary_plugins.event_websockets.consumers import FanOut

PATIENCE = 60.0


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """The address of the server, its consumers' ears, and how to end it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.fan_out = FanOut(core)
        self.store = StoreEvents(core)
        self.fanned = Ear(self.fan_out)
        self.stored = Ear(self.store)
        self._supervisor = Supervisor([self.fan_out])
        self._storing = Supervisor([self.store])
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"ws://127.0.0.1:{self._socket.getsockname()[1]}/api"
        self._server = _Server(
            uvicorn.Config(
                app_of(core),
                lifespan="off",
                access_log=False,
                log_level="warning",
                ws=PingsInOrder,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=5,
            )
        )
        self._ending = False

    async def __aenter__(self) -> Self:
        await self._supervisor.start()
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await self.core.clock.sleep(0)
        return self

    async def store_events(self) -> None:
        """Begin to store what is in the outbox."""
        await self._storing.start()

    async def end(self) -> None:
        """Shut the server down as the process does."""
        if not self._ending:
            self._ending = True
            self._server.should_exit = True
            await self._task

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        await self._supervisor.stop()
        if self._storing._opened:
            await self._storing.stop()

    @contextlib.asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[ClientConnection]:
        """Open a socket and shake hands."""
        async with connect(
            f"{self.address}{path}", subprotocols=[Subprotocol("prefect")]
        ) as client:
            await client.send('{"type":"auth","token":null}')
            assert await received(client) == {"type": "auth_success"}
            yield client

    @contextlib.asynccontextmanager
    async def stream(
        self, filter_: dict[str, Any], *, path: str = "/events/out", **more: object
    ) -> AsyncIterator[ClientConnection]:
        """Open a stream."""
        async with self.open(path) as client:
            message = {"type": "filter", "filter": filter_, **more}
            await client.send(msgspec.json.encode(message).decode())
            yield client


async def received(client: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE):
        return msgspec.json.decode(await client.recv())


async def ids(client: ClientConnection, count: int) -> list[str]:
    """The ids of the next frames."""
    found = []
    for _ in range(count):
        frame = await received(client)
        assert frame["type"] == "event"
        found.append(frame["event"]["id"])
    return found
