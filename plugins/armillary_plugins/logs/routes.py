"""Routes that take and give log lines, and the websocket that streams them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from weakref import WeakKeyDictionary

from armillary.api import Answer, Call, Routes, page_limit
from armillary.api_socket import Socket, handshake, send_until_left
from armillary.errors import Invalid, NotFound
from armillary_plugins.logs import repository
from armillary_plugins.logs.ingest import Batch, batch_of
from armillary_plugins.logs.news import news_of
from armillary_plugins.logs.schemas import (
    CreateLog,
    FilterLogs,
    Log,
    LogFilter,
    LogFrame,
    read_request,
)
from armillary_plugins.logs.table_file import COLUMNS, MEDIA_TYPE, csv_bytes, disposition

routes = Routes(tag="Logs")
_PAGE = 1000
_STREAMED = 250
_AT_ONCE = 4
"""Streams that look for new lines at once; the rest of the database is for everybody else."""
_READING: WeakKeyDictionary[object, asyncio.Semaphore] = WeakKeyDictionary()


@routes.post("/logs/", scope="run_flows", answers={201: None}, hot=True, nul=True)
async def create_logs(call: Call, body: list[CreateLog]) -> Answer:
    """Store log lines; the answer comes once they are durable."""
    batch = batch_of(body, workspace=call.workspace, created=call.received)
    if batch.rows:
        await call.core.database.perform(repository.INSERT_LOGS, batch)
        news_of(call.core).tell(batch)
    return Answer.json(None, 201)


@routes.post("/logs/filter", scope="see_flows", answers={200: list[Log]})
async def filter_logs(call: Call, body: FilterLogs) -> Answer:
    """List log lines that a filter lets through."""
    limit = page_limit(body.limit)
    logs = await repository.filter_logs(
        call.read(), body.logs, sort=body.sort, limit=limit, offset=body.offset
    )
    return Answer.json(logs)


@routes.get("/flow_runs/{id:uuid}/logs/download", scope="see_flows", hot=True, streams=True)
async def download_logs(call: Call) -> Answer:
    """Stream all log lines of a flow run as CSV, oldest first."""
    run_id = call.path["id"]
    name = await repository.flow_run_name(call.read(), run_id)
    if name is None:
        message = "Flow run not found"
        raise NotFound(message)
    return Answer(
        b"",
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": disposition(name)},
        stream=_lines(call, run_id),
    )


async def _lines(call: Call, run_id: str) -> AsyncIterator[bytes]:
    yield csv_bytes([COLUMNS])
    async for page in repository.each_page(call.read(), run_id, size=_PAGE):
        yield csv_bytes(
            (
                log.timestamp.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                log.level,
                log.flow_run_id,
                log.task_run_id or "",
                log.message,
            )
            for log in page
        )


@routes.websocket("/logs/out", scope="see_flows")
async def stream_logs(call: Call, socket: Socket) -> None:
    """Stream the lines that a filter lets through, from now on, until the client goes."""
    if not await handshake(call, socket):
        return
    try:
        logs = read_request(await socket.receive_text())
    except Invalid as error:
        await socket.close(1002, str(error))
        return
    await send_until_left(socket, _send(call, socket, logs))


async def _send(call: Call, socket: Socket, logs: LogFilter) -> None:
    """Read what was stored each time something was; so nothing waits in memory for a slow peer."""
    stored = asyncio.Event()

    def hear(batch: Batch) -> None:
        if batch.rows[0][0] == call.workspace:
            stored.set()

    after = await repository.newest_key(call.read())
    reading = _READING.setdefault(call.core, asyncio.Semaphore(_AT_ONCE))
    news = news_of(call.core)
    news.listen(hear)
    try:
        while True:
            async with reading:
                lines, after = await repository.arrived(
                    call.read(), logs, after=after, limit=_STREAMED
                )
            for line in lines:
                await socket.send_json(LogFrame(line))
            if len(lines) < _STREAMED:
                await stored.wait()
                stored.clear()
    finally:
        news.leave(hear)
