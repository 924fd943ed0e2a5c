"""A websocket client without a network in between."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

from armillary.front import App

_PATIENCE = 60.0


class Peer:
    """One connection; what the server sends queues up."""

    def __init__(
        self,
        app: App,
        path: str,
        *,
        protocols: tuple[str, ...] = ("prefect",),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_us: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._to_server.put_nowait({"type": "websocket.connect"})
        scope: dict[str, Any] = {
            "type": "websocket", "path": path, "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
            "subprotocols": list(protocols),
        }  # fmt: skip
        self._task = asyncio.ensure_future(app(scope, self._to_server.get, self._told))

    async def _told(self, message: MutableMapping[str, Any]) -> None:
        self._to_us.put_nowait(message)

    def say(self, frame: str | bytes) -> None:
        kind = "text" if isinstance(frame, str) else "bytes"
        self._to_server.put_nowait({"type": "websocket.receive", kind: frame})

    async def message(self) -> MutableMapping[str, Any]:
        async with asyncio.timeout(_PATIENCE):
            return await self._to_us.get()

    async def greet(self) -> None:
        assert (await self.message())["type"] == "websocket.accept"
        self.say('{"type":"auth","token":null}')
        assert "auth_success" in (await self.message())["text"]

    async def closed(self) -> tuple[int, str]:
        """The code and reason the server ends with, whatever it sends before."""
        message = await self.message()
        while message["type"] != "websocket.close":
            message = await self.message()
        async with asyncio.timeout(_PATIENCE):
            await self._task
        return message["code"], message.get("reason", "")

    async def leave(self) -> None:
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(_PATIENCE):
            await self._task
