"""Requests of which each must be answered soon, whatever has happened to the server."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

SOON = 30.0
"""Seconds within which every request must be answered, if only by a 503."""
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_HEADERS = "Host: 127.0.0.1\r\nContent-Type: application/json\r\nX-PREFECT-API-VERSION: 0.8.4\r\n"


class Gone(Exception):
    """The server went away before the answer was whole."""


class Hung(Exception):
    """Nothing was answered within the time that anything may take."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    document: Any

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


class Asker:
    """One kept connection, opened again after it broke."""

    def __init__(self, port: int) -> None:
        self.port = port
        """Where the next connection goes."""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """The answer; Gone if the server went away meanwhile, Hung if it is silent."""
        try:
            async with asyncio.timeout(SOON):
                return await self._exchange(method, path, body)
        except TimeoutError as error:
            self.close()
            raise Hung(f"{method} {path} was not answered within {SOON:g} s") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Gone from error
        except asyncio.CancelledError:
            self.close()
            raise

    async def _exchange(self, method: str, path: str, body: Any) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        reader, writer = self._streams
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /api{path} HTTP/1.1\r\n{_HEADERS}Content-Length: {len(payload)}\r\n\r\n"
        writer.write(head.encode() + payload)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        status = _STATUS.match(first)
        assert status is not None, first
        pairs = (line.decode("latin-1").partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        text = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(status[1]), headers, json.loads(text) if text else None)
