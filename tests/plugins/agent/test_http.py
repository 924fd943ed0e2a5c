"""The agent's way to a server over sockets: what a connection that breaks leaves open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from armillary.testing import eventually
from armillary_plugins.agent.services.http import HttpLink
from armillary_plugins.agent.services.link import Away

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue"


class Server:
    """Answers each request unless it was told to end the connection instead."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.silent = 0
        """How many requests get no answer, but the end of their connection."""
        self.ended = False
        """Whether a connection ends after its answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self._head(reader):
            self.heard.append(head.split(" ", 1)[0])
            if self.silent:
                self.silent -= 1
                break
            writer.write(ANSWER)
            if self.ended:
                break
        writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> str:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return ""
        length = head.partition("Content-Length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))
        return head


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[Server, HttpLink]]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    link = HttpLink(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    try:
        yield server, link
    finally:
        await link.close()
        listening.close()


async def test_what_changes_something_is_not_asked_twice_when_its_answer_is_lost() -> None:
    async with linked() as (server, link):
        assert await link.ask("POST", "/x", {}) is True
        server.silent = 1
        with pytest.raises(Away):
            await link.ask("POST", "/x", {})
        assert server.heard == ["POST", "POST"]


async def test_what_only_reads_is_asked_again_over_another_connection() -> None:
    async with linked() as (server, link):
        assert await link.ask("GET", "/x") is True
        server.silent = 1
        assert await link.ask("GET", "/x") is True
        assert server.heard == ["GET", "GET", "GET"]


async def test_a_connection_the_server_has_ended_is_replaced_before_anything_is_asked() -> None:
    async with linked() as (server, link):
        server.ended = True
        for _ in range(3):
            assert await link.ask("POST", "/x", {}) is True
            await eventually(over(link))
        assert server.heard == ["POST"] * 3


def over(link: HttpLink) -> Callable[[], bool]:
    return lambda: all(connection.is_over for connection in link._idle)
