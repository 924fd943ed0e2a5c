"""Whoever is silent is given up; whoever sends faster than we read is not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.protocol import State

from armillary.pings import PingsInOrder


class Transport(asyncio.Transport):
    """A connection whose other end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Lose it."""

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nothing is read here."""


async def app(_scope: object, _receive: object, _send: object) -> None:
    """Never asked."""


@pytest.fixture
async def protocol() -> AsyncIterator[PingsInOrder]:
    """A connection that was pinged a moment ago."""
    config = uvicorn.Config(app, ws_ping_interval=20, ws_ping_timeout=20, log_config=None)
    config.load()
    made = PingsInOrder(config, ServerState(), {})
    made.connection_made(Transport())
    made.conn.state = State.OPEN
    made.send_keepalive_ping()
    yield made
    made.stop_keepalive()


def is_closed(protocol: PingsInOrder) -> bool:
    return protocol.transport.is_closing()


async def test_whoever_is_silent_is_given_up(protocol: PingsInOrder) -> None:
    protocol.keepalive_timeout()
    assert is_closed(protocol)


async def test_whoever_sends_gets_as_long_again(protocol: PingsInOrder) -> None:
    protocol.data_received(b"\x81")
    protocol.keepalive_timeout()
    assert not is_closed(protocol)
    assert protocol.pong_timer is not None
    protocol.keepalive_timeout()
    assert is_closed(protocol)


async def test_whoever_waits_for_us_to_read_is_not_given_up(protocol: PingsInOrder) -> None:
    protocol.read_paused = True
    protocol.keepalive_timeout()
    protocol.keepalive_timeout()
    assert not is_closed(protocol)
