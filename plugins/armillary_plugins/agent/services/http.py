"""The link over HTTP: a few connections that stay open."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from armillary.errors import ConfigError
from armillary.exact_json import read_any
from armillary_plugins.agent.services.link import API_VERSION, Away, Turned, explain

Json = Any
_PATIENCE = 30.0
_KEPT = 8
"""Connections that are kept for later at most."""
_LINE = 65_536
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_encode = msgspec.json.Encoder().encode


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.used = False

    @property
    def is_over(self) -> bool:
        """Whether the server has ended it, which it does where nothing was asked for long."""
        return self.reader.at_eof() or self.reader.exception() is not None

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.close()


class HttpLink:
    """Asks a server by its address."""

    def __init__(self, address: str) -> None:
        self._url = with_api(address)
        parts = urlsplit(self._url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._netloc = parts.netloc.rpartition("@")[2]
        self._path = parts.path
        self._idle: list[_Connection] = []

    @property
    def api_url(self) -> str:
        """Return the address of the API."""
        return self._url

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        """Ask once, over a connection that is open or a new one."""
        content = b"" if body is None and method == "GET" else _encode({} if body is None else body)
        request = self._request(method, path, content)
        try:
            async with asyncio.timeout(_PATIENCE):
                status, answer = await self._exchange(request, again=method == "GET")
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, ValueError) as error:
            reason = str(error) or type(error).__name__
            message = f"{self._url} cannot be reached ({reason})"
            raise Away(message) from error
        try:
            document = read_any(answer) if answer else None
        except ValueError:
            document = None
        if status in _LATER:
            message = f"{self._url} cannot answer now ({status}: {explain(status, document)})"
            raise Away(message)
        if status >= 400:
            raise Turned(status, explain(status, document), document)
        return document

    async def close(self) -> None:
        """Close what is kept open."""
        while self._idle:
            self._idle.pop().close()

    def _request(self, method: str, path: str, content: bytes) -> bytes:
        head = (
            f"{method} {self._path}{path} HTTP/1.1\r\nHost: {self._netloc}\r\n"
            f"User-Agent: armillary-agent\r\nX-Prefect-Api-Version: {API_VERSION}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content

    async def _exchange(self, request: bytes, *, again: bool) -> tuple[int, bytes]:
        """Ask; what changes something is not asked again: it may have been done unanswered."""
        while True:
            connection = self._kept() or await self._connect()
            try:
                status, headers, body = await self._over(connection, request)
            except BaseException as error:
                connection.close()
                if again and connection.used and isinstance(error, ConnectionError | EOFError):
                    continue
                raise
            connection.used = True
            if headers.get("connection", "").lower() == "close" or len(self._idle) >= _KEPT:
                connection.close()
            else:
                self._idle.append(connection)
            return status, body

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_over:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        context = ssl.create_default_context() if self._secure else None
        reader, writer = await asyncio.open_connection(
            self._host, self._port, ssl=context, limit=_LINE
        )
        return _Connection(reader, writer)

    async def _over(
        self, connection: _Connection, request: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection.writer.write(request)
        await connection.writer.drain()
        reader = connection.reader
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return status, headers, await _chunks(reader)
        length = headers.get("content-length")
        if length is not None:
            return status, headers, await reader.readexactly(int(length))
        return status, headers, b"" if status == 204 else await reader.read()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return b"".join(parts)


def with_api(address: str) -> str:
    """Return the address of a server's API; ConfigError for what is no address."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        message = (
            f"{address!r} is no address of a server: write it like http://127.0.0.1:4200 (setting "
            "agent.server, or --server)."
        )
        raise ConfigError(message)
    path = parts.path.rstrip("/")
    if not path.endswith("/api") and "/api/" not in f"{path}/":
        path += "/api"
    return f"{parts.scheme}://{parts.netloc}{path}"
