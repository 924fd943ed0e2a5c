"""The websocket of the worker channel."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from armillary.api import Call, Routes
from armillary.api_socket import PROTOCOL, Socket, handshake
from armillary.errors import NotFound, Refused, Unavailable
from armillary.work_pools.channel.admission import admit
from armillary.work_pools.channel.frames import ToWorker
from armillary.work_pools.channel.listeners import listeners_of
from armillary.work_pools.channel.protocol import Channel, Closing, Reason, Stamp
from armillary.work_pools.repository import pools, workers
from armillary.work_pools.schemas import WorkPool

routes = Routes(tag="Workers")
_log = logging.getLogger("armillary.work_pools")


@routes.websocket("/work_pools/{name}/workers/connect", scope="write_workers")
async def connect_worker(call: Call, socket: Socket) -> None:
    """Talk to one worker until it goes."""
    if PROTOCOL not in socket.offered:
        await socket.accept()
        await socket.close(*_close(Reason.AUTHENTICATION_FAILED))
        return
    if not await handshake(call, socket):
        return
    talk = Talk(call, socket)
    try:
        await talk.run()
    except Closing as closing:
        _log.info("worker channel of %s closed: %s", call.path["name"], closing)
        await socket.close(*_close(closing.reason))
    except Unavailable:
        await socket.close(*_close(Reason.TRANSIENT_SERVER_ERROR))


def _close(reason: Reason) -> tuple[int, str]:
    return reason.code, reason.text


class Talk:
    """A channel with its socket and its database."""

    def __init__(self, call: Call, socket: Socket) -> None:
        self._call = call
        self._socket = socket
        self._channel = Channel()
        self._pool_id = ""
        self._telling = asyncio.Lock()

    async def run(self) -> None:
        """Greet, then take heartbeats and tell news; Closing or SocketClosed ends it."""
        said = self._channel.hello(await self._socket.receive_text())
        if said.create_pool_if_not_found:
            _require_pool_scope(self._call)
        admitted = await admit(self._call, said)
        self._pool_id = admitted.pool_id
        async with listeners_of(self._call.core).listening(admitted.pool_id) as changed:
            pool = await self._pool()
            await self._send(self._channel.ready(pool, admitted.queues, self._stamp()))
            tasks = {
                asyncio.ensure_future(self._take_heartbeats()),
                asyncio.ensure_future(self._tell_changes(changed)),
            }
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _take_heartbeats(self) -> None:
        name, ids = self._call.path["name"], self._call.core.ids
        while True:
            said = self._channel.heartbeat(await self._socket.receive_text())
            try:
                await self._call.write(
                    lambda unit, said=said: workers.heartbeat(  # type: ignore[misc]
                        unit,
                        ids,
                        name,
                        name=said.worker_name,
                        interval=said.heartbeat_interval_seconds,
                    )
                )
            except NotFound as error:
                raise Closing(Reason.AUTHORIZATION_FAILED, str(error)) from error
            except Unavailable as error:
                raise Closing(Reason.HEARTBEAT_PERSISTENCE_FAILED) from error
            await self._tell("heartbeat", only_news=True)

    async def _tell_changes(self, changed: asyncio.Event) -> None:
        while True:
            await changed.wait()
            changed.clear()
            await self._tell("updated", only_news=False)

    async def _tell(self, reason: str, *, only_news: bool) -> None:
        """Send the pool as it is; one at a time, so that a later number is later news."""
        async with self._telling:
            pool = await self._pool()
            if not only_news or self._channel.is_news(pool):
                await self._send(self._channel.snapshot(pool, reason, self._stamp()))

    async def _pool(self) -> WorkPool:
        """Read the pool; Closing if it is gone, or another by that name now."""
        try:
            pool = await pools.read(self._call.read(), self._call.path["name"])
        except NotFound as error:
            raise Closing(Reason.AUTHORIZATION_FAILED, str(error)) from error
        if pool.id != self._pool_id:
            raise Closing(Reason.AUTHORIZATION_FAILED, "the pool was deleted and made anew")
        return pool

    async def _send(self, frame: ToWorker) -> None:
        await self._socket.send_json(frame)

    def _stamp(self) -> Stamp:
        core = self._call.core
        return Stamp(UUID(core.ids.uuid7()), core.clock.now())


def _require_pool_scope(call: Call) -> None:
    try:
        call.actor.require("write_work_pools")
    except Refused as error:
        raise Closing(Reason.AUTHORIZATION_FAILED, str(error)) from error
