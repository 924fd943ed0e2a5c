"""The short way answers as the long one does; whatever is not plain goes the long one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from armillary.api import Answer, Call, Route
from armillary.connections import Requests
from armillary.fast_path import MAX_BODY, Found, Headers
from tests.core.test_connections import Transport


async def nobody(_: Call) -> Answer:
    return Answer.empty()


_TURNS = 30
"""Of the loop, in which whatever can be answered is."""
ROUTE = Route(method="POST", path="/echo", handler=nobody, scope=None, hot=True)


def request(body: bytes = b"body", *, path: bytes = b"/api/echo", more: bytes = b"") -> bytes:
    head = b"POST %s HTTP/1.1\r\nhost: x\r\n%scontent-length: %d\r\n\r\n"
    return head % (path, more, len(body)) + body


class Echo:
    """Answers with what it was asked, once the test says so."""

    def __init__(self) -> None:
        self.at_once = True
        self.asked: list[tuple[Headers, bytes]] = []
        self.waits: asyncio.Event | None = None
        self.headers: dict[str, str] = {}

    def find(self, method: str, path: str) -> Found | None:
        return (ROUTE, {}) if (method, path) == ("POST", "/api/echo") else None

    def answer(
        self,
        found: Found,  # noqa: ARG002 - there is one
        headers: Headers,
        query: bytes,
        body: bytes,
    ) -> Coroutine[Any, Any, Answer]:
        self.asked.append((headers, query))
        return self._answer(body)

    async def _answer(self, body: bytes) -> Answer:
        if self.waits is not None:
            await self.waits.wait()
        return Answer(b"echo " + body, 201, headers=self.headers)


class Gone(asyncio.Event):
    """What nobody will ever be told of."""

    async def wait(self) -> Literal[True]:
        await asyncio.sleep(0)
        raise asyncio.CancelledError


class Scene:
    """One connection to a server with both ways."""

    def __init__(self) -> None:
        self.echo = Echo()
        self.long: list[str] = []
        config = uvicorn.Config(self.app, interface="asgi3", log_config=None, proxy_headers=False)
        config.load()
        self.state = ServerState()
        self.transport = Transport()
        self.protocol = Requests(config, self.state, {}, room=9, answering=self.echo)
        self.protocol.connection_made(self.transport)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message.get("body", b"")
        self.long.append(scope["path"])
        head = [(b"content-length", b"%d" % (5 + len(body)))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"long " + body})

    async def ask(self, data: bytes) -> bytes:
        self.protocol.data_received(data)
        return await self.told()

    async def told(self) -> bytes:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        written, self.transport.written = self.transport.written, b""
        return written


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_an_answer_that_is_there_at_once_needs_no_task(scene: Scene) -> None:
    scene.protocol.data_received(request())
    assert not scene.state.tasks
    told = await scene.told()
    head, _, body = told.partition(b"\r\n\r\n")
    assert head.splitlines() == [
        b"HTTP/1.1 201 Created", b"content-length: 9", b"content-type: application/json",
    ]  # fmt: skip
    assert body == b"echo body"


async def test_headers_and_query_are_handed_over(scene: Scene) -> None:
    await scene.ask(request(path=b"/api/echo?a=1", more=b"X-Y: Z\r\n"))
    [(headers, query)] = scene.echo.asked
    assert (b"x-y", b"Z") in headers
    assert query == b"a=1"


@pytest.mark.parametrize("at_once", [True, False])
async def test_an_answer_that_has_to_wait_comes_when_it_is_there(
    scene: Scene, *, at_once: bool
) -> None:
    scene.echo.at_once, scene.echo.waits = at_once, asyncio.Event()
    assert await scene.ask(request()) == b""
    scene.echo.waits.set()
    assert b"echo body" in await scene.told()
    assert not scene.state.tasks


async def test_an_answer_whose_wait_is_given_up_closes_the_connection(scene: Scene) -> None:
    scene.echo.waits = Gone()
    assert await scene.ask(request()) == b""
    assert scene.transport.closed


async def test_a_body_in_pieces_is_waited_for(scene: Scene) -> None:
    whole = request(b"0123456789")
    assert await scene.ask(whole[:-5]) == b""
    assert b"echo 0123456789" in await scene.ask(whole[-5:])


@pytest.mark.parametrize(
    "data",
    [
        request(path=b"/api/other"),
        request(path=b"/api/ech%6f"),
        request(path=b"http://x/api/echo"),
        request(b"x" * (MAX_BODY + 1)),
        request(more=b"expect: 100-continue\r\n"),
        request(more=b"connection: close\r\n"),
        request().replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"POST /api/echo HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    ],
    ids=["path", "escaped", "absolute", "large", "expect", "close", "old", "chunked"],
)
async def test_what_is_not_plain_goes_the_long_way(scene: Scene, data: bytes) -> None:
    assert b"long " in await scene.ask(data)
    assert not scene.echo.asked


async def test_both_ways_answer_in_the_order_they_were_asked(scene: Scene) -> None:
    scene.echo.waits = asyncio.Event()
    waiting = request(b"1") + request(b"2", path=b"/api/other") + request(b"3")
    assert await scene.ask(waiting) == b""
    waits, scene.echo.waits = scene.echo.waits, None
    waits.set()
    told = await scene.told()
    places = [told.index(each) for each in (b"echo 1", b"long 2", b"long 3")]
    assert places == sorted(places)


async def test_many_at_once_are_all_answered(scene: Scene) -> None:
    told = await scene.ask(request(b"1") + request(b"2") + request(b"3"))
    assert [told.count(b"echo %d" % each) for each in (1, 2, 3)] == [1, 1, 1]


async def test_who_has_left_is_not_answered(scene: Scene) -> None:
    scene.echo.waits = asyncio.Event()
    await scene.ask(request())
    scene.protocol.connection_lost(None)
    scene.echo.waits.set()
    assert await scene.told() == b""


async def test_a_server_that_stops_answers_and_says_that_it_closes(scene: Scene) -> None:
    scene.echo.waits = asyncio.Event()
    await scene.ask(request())
    scene.protocol.shutdown()
    assert not scene.transport.closed
    scene.echo.waits.set()
    told = await scene.told()
    assert b"connection: close\r\n" in told
    assert cast("bool", scene.transport.closed)


async def test_a_header_that_would_break_lines_is_a_fault_of_the_server(scene: Scene) -> None:
    scene.echo.headers = {"x": "1\r\nset-cookie: 2"}
    told = await scene.ask(request())
    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in told


async def test_who_takes_nothing_is_not_answered_the_short_way(scene: Scene) -> None:
    scene.protocol.pause_writing()
    scene.protocol.data_received(request())
    assert not scene.echo.asked
    scene.protocol.resume_writing()
    assert b"long body" in await scene.told()
