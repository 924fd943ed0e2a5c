"""Who dawdles is cut off, wherever he does; who does something, or may rest, is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.protocol import State

from armillary.connections import Dawdlers, Requests, Sockets
from armillary.metrics import Metrics
from armillary.testing import ManualClock

PATIENCE = 30.0
HEAD = b"POST /api/flows/ HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n"


class Transport(asyncio.Transport):
    """A connection whose other end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.unsent = 0
        self.closed = self.cut_off = self.reading_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.cut_off = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading_paused = True

    def resume_reading(self) -> None:
        self.reading_paused = False


def is_cut_off(transport: Transport) -> bool:
    return transport.cut_off


class Scene:
    """A server's connections, and the one who looks after them."""

    def __init__(self, clock: ManualClock) -> None:
        self.state = ServerState()
        self.config = uvicorn.Config(
            self.app,
            interface="asgi3",
            timeout_keep_alive=75,
            log_config=None,
            proxy_headers=False,
            ws_ping_interval=None,
        )
        self.config.load()
        self.clock = clock
        self.metrics = Metrics()
        self.bodies: list[bytes] = []
        self.done = asyncio.Event()
        self.dawdlers = Dawdlers(self.state.connections, clock, self.metrics, patience=PATIENCE)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer once the body is whole and the test says so."""
        if scope["type"] == "http":
            while (message := await receive()).get("more_body"):
                self.bodies.append(message["body"])
            await self.done.wait()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    def connected(self, *, room: int = 100) -> tuple[Requests, Transport]:
        protocol = Requests(self.config, self.state, {}, room=room)
        transport = Transport()
        protocol.connection_made(transport)
        return protocol, transport

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, in which all are looked at now and then."""
        for _ in range(int(seconds / 5)):
            self.dawdlers.look()
            await self.clock.advance(5)
        self.dawdlers.look()


@pytest.fixture
async def scene(clock: ManualClock) -> AsyncIterator[Scene]:
    made = Scene(clock)
    yield made
    made.done.set()
    for connection in list(made.state.connections):
        connection.connection_lost(None)
    await asyncio.gather(*made.state.tasks)


@pytest.mark.parametrize("sent", [b"", b"POST /api/fl", HEAD])
async def test_who_does_not_send_a_whole_head_is_cut_off(scene: Scene, sent: bytes) -> None:
    protocol, transport = scene.connected()
    protocol.data_received(sent)
    await scene.pass_by(25)
    assert not is_cut_off(transport)
    await scene.pass_by(10)
    assert is_cut_off(transport)
    assert scene.metrics.value("armillary_connections_cut_off_total") == 1


async def test_who_sends_half_a_body_is_cut_off_later(scene: Scene) -> None:
    protocol, transport = scene.connected()
    protocol.data_received(HEAD + b"\r\nhalf")
    await scene.pass_by(115)
    assert not is_cut_off(transport)
    await scene.pass_by(10)
    assert is_cut_off(transport)


async def test_who_waits_for_us_is_not_cut_off(scene: Scene) -> None:
    protocol, transport = scene.connected()
    protocol.data_received(HEAD + b"\r\n" + b"x" * 100)
    await scene.pass_by(300)
    assert not is_cut_off(transport)


async def test_who_rests_between_two_requests_is_not_cut_off(scene: Scene) -> None:
    scene.done.set()
    protocol, transport = scene.connected()
    protocol.data_received(HEAD + b"\r\n" + b"x" * 100)
    await scene.clock.settle()
    assert b"204" in transport.written
    await scene.pass_by(scene.config.timeout_keep_alive - 5)
    assert (is_cut_off(transport), transport.closed) == (False, False)


async def test_a_rest_that_is_too_long_ends_with_a_good_bye(scene: Scene) -> None:
    scene.done.set()
    protocol, transport = scene.connected()
    protocol.data_received(HEAD + b"\r\n" + b"x" * 100)
    await scene.clock.settle()
    await scene.pass_by(scene.config.timeout_keep_alive)
    assert (is_cut_off(transport), transport.closed) == (False, True)
    assert scene.metrics.value("armillary_connections_cut_off_total") == 0


async def test_every_answer_begins_the_rest_anew(scene: Scene) -> None:
    scene.done.set()
    protocol, transport = scene.connected()
    for _ in range(3):
        protocol.data_received(HEAD + b"\r\n" + b"x" * 100)
        await scene.clock.settle()
        await scene.pass_by(scene.config.timeout_keep_alive - 5)
    assert not transport.closed


async def test_who_takes_nothing_of_his_answer_is_cut_off(scene: Scene) -> None:
    protocol, transport = scene.connected()
    protocol.data_received(HEAD + b"\r\n" + b"x" * 100)
    transport.unsent = 100_000
    protocol.pause_writing()
    for _ in range(20):
        transport.unsent -= 1  # he takes little, but something
        await scene.pass_by(5)
    assert not is_cut_off(transport)
    await scene.pass_by(35)
    assert is_cut_off(transport)


async def test_who_asked_several_times_at_once_and_left_is_answered_no_more(scene: Scene) -> None:
    protocol, transport = scene.connected()
    protocol.data_received((HEAD + b"\r\n" + b"x" * 100) * 2)
    await scene.clock.settle()
    protocol.connection_lost(None)
    scene.done.set()
    await asyncio.gather(*scene.state.tasks)
    assert transport.written == b""


async def test_a_close_that_is_never_taken_is_made_good(scene: Scene) -> None:
    _, transport = scene.connected()
    transport.unsent, transport.closed = 10, True
    await scene.pass_by(35)
    assert is_cut_off(transport)


async def test_a_head_without_end_is_refused(scene: Scene) -> None:
    protocol, transport = scene.connected()
    protocol.data_received(b"GET / HTTP/1.1\r\nx: ")
    for _ in range(5):
        protocol.data_received(b"x" * 65536)
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert transport.closed


async def test_one_connection_too_many_is_sent_away_with_a_word(scene: Scene) -> None:
    _, first = scene.connected(room=1)
    _, second = scene.connected(room=1)
    assert (first.closed, second.closed) == (False, True)
    assert b" 503 " in second.written
    assert b"retry-after" in second.written


def socket_of(scene: Scene) -> tuple[Sockets, Transport]:
    protocol, transport = Sockets(scene.config, scene.state, {}), Transport()
    protocol.connection_made(transport)
    protocol.conn.state = State.OPEN
    return protocol, transport


async def test_a_subscriber_that_never_reads_is_cut_off(scene: Scene) -> None:
    protocol, transport = socket_of(scene)
    await scene.pass_by(300)
    assert not is_cut_off(transport)
    transport.unsent = 70_000
    protocol.pause_writing()
    await scene.pass_by(35)
    assert is_cut_off(transport)


async def test_who_does_not_take_what_he_is_sent_is_not_heard(scene: Scene) -> None:
    protocol, transport = socket_of(scene)
    protocol.pause_writing()
    assert transport.reading_paused
    protocol.resume_writing()
    assert not transport.reading_paused


async def test_a_ping_that_he_could_not_take_yet_is_not_held_against_him(scene: Scene) -> None:
    protocol, transport = socket_of(scene)
    protocol.ping_timeout = 20
    protocol.pause_writing()
    protocol.keepalive_timeout()
    assert not transport.closed
    protocol.stop_keepalive()
