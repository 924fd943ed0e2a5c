"""The websocket that streams log lines while they are stored."""

from __future__ import annotations

import asyncio

import msgspec

from armillary.api import Call, Routes, decode
from armillary.api_socket import Socket, handshake, send_until_left
from armillary.errors import Invalid
from armillary_plugins.logs import repository
from armillary_plugins.logs.ingest import Batch
from armillary_plugins.logs.news import news_of
from armillary_plugins.logs.schemas import Log, LogFilter

streaming = Routes(tag="Logs")
_PAGE = 250


class _Request(msgspec.Struct):
    type: str = ""
    filter: msgspec.Raw = msgspec.Raw(b"null")


class _Frame(msgspec.Struct, frozen=True, tag_field="type", tag="log"):
    log: Log


@streaming.websocket("/logs/out", scope="see_flows")
async def stream_logs(call: Call, socket: Socket) -> None:
    """Stream the lines that a filter lets through, from now on, until the client goes."""
    if not await handshake(call, socket):
        return
    try:
        logs = _read_filter(await socket.receive_text())
    except Invalid as error:
        await socket.close(1002, str(error))
        return
    await send_until_left(socket, _send(call, socket, logs))


def _read_filter(text: str) -> LogFilter:
    try:
        request = msgspec.json.decode(text, type=_Request)
    except (msgspec.DecodeError, RecursionError):
        request = _Request()
    if request.type != "filter":
        raise Invalid("Expected 'filter' message")
    try:
        return decode(LogFilter, bytes(request.filter))
    except Invalid as error:
        raise Invalid(f"Invalid filter: {error}") from error


async def _send(call: Call, socket: Socket, logs: LogFilter) -> None:
    """Read what was stored each time something was; so nothing waits in memory for a slow peer."""
    stored = asyncio.Event()

    def hear(batch: Batch) -> None:
        if batch.rows[0][0] == call.workspace:
            stored.set()

    after = await repository.newest_key(call.read())
    news = news_of(call.core)
    news.listen(hear)
    try:
        while True:
            lines, after = await repository.arrived(call.read(), logs, after=after, limit=_PAGE)
            for line in lines:
                await socket.send_json(_Frame(line))
            if len(lines) < _PAGE:
                await stored.wait()
                stored.clear()
    finally:
        news.leave(hear)
