"""The stream that tells an open page what has changed."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from litestar import asgi
from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from armillary.api import Call
from armillary_plugins.ui.streams import Stream, Streams, streams_of

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


@asgi("/ui/stream", opt={"scope": "see_flows"}, copy_scope=True)
async def open_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell what changes until the page is closed or the process stops."""
    call: Call = scope["armillary.call"]  # type: ignore[typeddict-item]
    filled = asyncio.Event()
    stream = Stream(filled.set)
    streams = streams_of(call.core, call.core.clock.micros())
    gone = asyncio.create_task(_until_gone(receive, stream))
    streams.add(call.workspace, stream, after=_place(scope, call))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        while not stream.ended:
            await filled.wait()
            filled.clear()
            await send(_part(streams, stream.take()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        streams.remove(call.workspace, stream)
        gone.cancel()


def _part(streams: Streams, texts: list[str]) -> HTTPResponseBodyEvent:
    lines = "".join(f"data: {text}\n\n" for text in texts)
    body = f"id: {streams.place}\n{lines}" if texts else ""
    return {"type": "http.response.body", "body": body.encode(), "more_body": True}


def _place(scope: Scope, call: Call) -> str | None:
    """Where the page left off: what its connection heard last, else when it was made."""
    heard = call.headers.get("last-event-id")
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("after", [None])
    return heard or asked[0]


async def _until_gone(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()
