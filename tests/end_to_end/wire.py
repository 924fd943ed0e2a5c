"""HTTP as thin as can be: hundreds of clients in one process, without being the slowest part."""

import asyncio
import json
import re
from typing import Any

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEADERS = "Host: 127.0.0.1\r\nContent-Type: application/json\r\nX-PREFECT-API-VERSION: 0.8.4\r\n"


class Gone(Exception):
    """The server went away before the answer was whole."""


class Wire:
    """One kept connection, opened when something is asked and opened again after it broke."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Any:
        return await self._asked("GET", path, None)

    async def post(self, path: str, body: Any) -> Any:
        return await self._asked("POST", path, body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _asked(self, method: str, path: str, body: Any) -> Any:
        """What is answered, which must be a success."""
        try:
            status, text = await self._exchange(method, path, body)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Gone from error
        assert 200 <= status < 300, f"{method} {path} was answered {status}: {text[:500]!r}"
        return json.loads(text) if text else None

    async def _exchange(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /api{path} HTTP/1.1\r\n{_HEADERS}Content-Length: {len(payload)}\r\n\r\n"
        writer.write(head.encode() + payload)
        answer = await reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(answer), _LENGTH.search(answer)
        assert status is not None, answer
        text = await reader.readexactly(int(length[1])) if length else b""
        return int(status[1]), text
