"""The websockets for events in and out."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from armillary.api import Call, Routes
from armillary.api_socket import Socket, handshake, send_until_left
from armillary.clock import to_micros
from armillary.errors import Invalid, Unavailable
from armillary_plugins.event_websockets.config import Config
from armillary_plugins.event_websockets.repository import stored_pages, waiting_events
from armillary_plugins.event_websockets.schemas import StreamRequest, read_request
from armillary_plugins.event_websockets.subscriptions import (
    Subscriber,
    frame_of,
    subscriptions_of,
)
from armillary_plugins.events.matching import matcher
from armillary_plugins.events.repository.finding import Place
from armillary_plugins.events.window import Window, window_of

incoming = Routes(tag="Events")
outgoing = Routes(tag="Events")

_TWICE_WITHIN = 120_000_000
"""Microseconds between the acceptance of an event and its coming live, with a wide margin."""
_AT_ONCE = 4
"""Streams that read stored events at once; the rest of the database is for everybody else."""
_READING: WeakKeyDictionary[object, asyncio.Semaphore] = WeakKeyDictionary()
_AGAIN = 60_000_000
"""Microseconds by which a stream that fell behind reaches back behind what it has sent."""


@incoming.websocket("/events/in", scope="manage_events")
async def take_events(call: Call, socket: Socket) -> None:
    """Take one event a frame.  Clients ask by pings how far we are: a pong means durable."""
    if not await handshake(call, socket):
        return
    feed = call.core.intake.feed(call.workspace)
    socket.answer_pings_after(feed.drain)
    try:
        try:
            while True:
                await feed.put(await socket.receive_text())
        finally:
            await feed.drain()
    except Invalid as error:
        await socket.close(1007, str(error))
    except Unavailable:
        await socket.close(1013, "Try again later")


@outgoing.websocket("/events/out", scope="see_events")
async def stream_events(call: Call, socket: Socket) -> None:
    """Stream the events that a filter lets through, until the client goes."""
    if not await handshake(call, socket):
        return
    try:
        request = read_request(await socket.receive_text())
    except Invalid as error:
        await socket.close(1002, str(error))
        return
    stream = Stream(call, socket, request)
    try:
        await send_until_left(socket, stream.run())
    finally:
        stream.end()


class Stream:
    """One subscriber: first what happened, then what happens, nothing twice and nothing left out.

    It is told of live events before it reads stored ones, and remembers which of those may come
    live as well.  What it is told beyond its queue while it still reads, it reads once more.
    """

    def __init__(self, call: Call, socket: Socket, request: StreamRequest) -> None:
        core = call.core
        self._database = core.database
        self._workspace = call.workspace
        self._socket = socket
        self._request = request
        now = core.clock.now()
        self._window = _clamped(request, now, core.config(Config).backfill)
        self._since = to_micros(now) - _TWICE_WITHIN
        self._test = matcher(request.filter, self._window)
        self._sent: set[str] = set()
        self._filled = asyncio.Event()
        self._subscriber = Subscriber(self._test, self._filled.set)
        self._reading = _READING.setdefault(core, asyncio.Semaphore(_AT_ONCE))
        self._subscriptions = subscriptions_of(core)
        self._subscriptions.add(self._workspace, self._subscriber)

    def end(self) -> None:
        """Be told no more."""
        self._subscriptions.remove(self._workspace, self._subscriber)

    async def run(self) -> None:
        """Send until the client goes."""
        if self._request.backfill:
            await self._send_past()
        queue = self._subscriber.queue
        while True:
            while queue:
                event_id, frame = queue.popleft()
                if event_id in self._sent:
                    self._sent.discard(event_id)
                    continue
                await self._socket.send_text(frame)
            self._filled.clear()
            await self._filled.wait()

    async def _send_past(self) -> None:
        place: Place | None = None
        while True:
            dropped = self._subscriber.dropped
            async with self._reading:
                waiting = await waiting_events(self._database, self._workspace, self._test)
            place = await self._send_stored(place)
            for event in waiting:
                await self._send_once(event.id, event.body, may_come_live=True)
            if self._subscriber.dropped == dropped:
                return
            if place is not None:
                place = Place(place.occurred - _AGAIN, 0)

    async def _send_stored(self, place: Place | None) -> Place | None:
        pages = stored_pages(
            self._database,
            self._workspace,
            self._request.filter,
            window=self._window,
            place=place,
            reading=self._reading,
        )
        async for page in pages:
            for event in page:
                recent = event.received >= self._since
                await self._send_once(event.id, event.body, may_come_live=recent)
            place = page[-1].place
        return place

    async def _send_once(self, event_id: str, body: str, *, may_come_live: bool) -> None:
        if event_id in self._sent:
            return
        if may_come_live:
            self._sent.add(event_id)
        await self._socket.send_text(frame_of(body))


def _clamped(request: StreamRequest, now: datetime, backfill: float) -> Window:
    window = window_of(request.filter, now)
    earliest = to_micros(now - timedelta(seconds=backfill))
    return Window(max(window.since, earliest), window.until)
