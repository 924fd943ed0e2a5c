"""What is written to a connection, and in how many calls."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from armillary.transport import Gathering


class Wire:
    """A transport that notes each call."""

    def __init__(self) -> None:
        self.calls: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def close(self) -> None:
        self.calls.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.calls

    def get_write_buffer_size(self) -> int:
        return 5

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def gathering() -> tuple[Wire, Gathering]:
    wire = Wire()
    return wire, Gathering(cast("asyncio.Transport", wire))


async def test_head_and_body_leave_in_one_call() -> None:
    wire, transport = gathering()
    transport.write(b"head")
    assert wire.calls == []
    transport.write(b"body")
    assert wire.calls == [b"headbody"]
    await asyncio.sleep(0)
    assert wire.calls == [b"headbody"]


async def test_a_piece_alone_leaves_when_the_loop_turns() -> None:
    wire, transport = gathering()
    transport.write(b"piece")
    assert transport.get_write_buffer_size() == 10
    await asyncio.sleep(0)
    assert wire.calls == [b"piece"]
    transport.write(b"next")
    await asyncio.sleep(0)
    assert wire.calls == [b"piece", b"next"]


async def test_a_large_body_is_not_copied() -> None:
    wire, transport = gathering()
    body = b"x" * 100_000
    transport.write(b"head")
    transport.write(body)
    assert wire.calls == [b"head", body]
    assert wire.calls[1] is body


async def test_what_is_held_leaves_before_the_connection_closes() -> None:
    wire, transport = gathering()
    transport.write(b"head")
    transport.close()
    assert wire.calls == [b"head", "closed"]
    assert transport.is_closing()


async def test_who_takes_over_gets_the_connection_itself_with_nothing_held() -> None:
    wire, transport = gathering()
    transport.write(b"head")
    taken: Any = transport.released()
    assert taken is wire
    assert wire.calls == [b"head"]


async def test_all_else_is_the_transports_own() -> None:
    _, transport = gathering()
    assert transport.get_extra_info("peername") == "the peername"
