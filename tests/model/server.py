"""The real server in this process, driven step by step: its app, its services and its clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from armillary.clock import to_micros
from armillary.core import Core
from armillary.db.dialect import Dialect
from armillary.db.unit import Row, Unit
from armillary.discovery import discover
from armillary.services.loop import Done, LoopService
from armillary.settings import load
from armillary.testing import ManualClock, app_of
from tests.api import add_other_workspace

T = TypeVar("T")
Request = tuple[str, str, Any, Mapping[str, str]]
"""Method, path, body and headers."""
SDK = "prefect/3.8.8 (API 0.8.4)"
_KEPT = {"workspace", "migration"}


class SettableClock(ManualClock):
    """A clock that begins anew with each example."""

    def set(self, moment: datetime) -> None:
        self._micros = self._start = to_micros(moment)


class Server:
    """A core with its app on one database, which is emptied before each example."""

    def __init__(self, runner: asyncio.Runner, core: Core, clock: SettableClock) -> None:
        self._runner = runner
        self.core = core
        self.clock = clock
        self._app: Any = app_of(core)
        self._tables: list[str] = []
        self.headers: dict[str, str] = {}
        """Of the last answer."""

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something to its end."""
        return self._runner.run(work)

    def begin(self, moment: datetime) -> None:
        """Forget everything; it is that moment now."""
        self.clock.set(moment)
        self.core.ids._last = 0
        self.core.chance.seed(1)
        self.wait(self._empty())

    def advance(self, seconds: float) -> None:
        self.wait(self.clock.advance(seconds))

    def write(self, work: Callable[[Unit], Awaitable[None]]) -> None:
        """Do a unit of work in the default workspace."""

        async def done() -> None:
            await self.core.database.write(work, workspace=1)

        self.wait(done())

    def turn(self, service: LoopService) -> Done:
        """Let a service take one turn."""
        return self.wait(service.run_once())

    def rows(self, statement: str, *arguments: object) -> list[Row]:
        """Look into the database, across workspaces."""

        async def ask() -> list[Row]:
            return list(await self.core.database.read(None).all(statement, *arguments))

        return self.wait(ask())

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and document of one request."""
        return self.wait(self._ask(method, path, body, headers or {"user-agent": SDK}))

    def together(
        self, requests: list[Request], *, service: LoopService | None = None
    ) -> list[tuple[int, Any]]:
        """The answers to requests that arrive at the same time, as a service takes a turn."""

        async def ask() -> list[tuple[int, Any]]:
            turn = [service.run_once()] if service is not None else []
            asked = (self._ask(*request) for request in requests)
            return list(await asyncio.gather(*asked, *turn))[: len(requests)]

        return self.wait(ask())

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The document of a request that must succeed."""
        status, found = self.call(method, path, body)
        assert status < 300, f"{method} {path} {body}: {status} {found}"
        return found

    async def _ask(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        content = b"" if body is None else msgspec.json.encode(body)
        status = 0
        parts: list[bytes] = []
        asked = False
        sent = {
            "host": "127.0.0.1:4200", "content-type": "application/json",
            "content-length": str(len(content)), **headers,
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self.headers = {
                    key.decode().lower(): value.decode() for key, value in message["headers"]
                }
            else:
                parts.append(message.get("body", b""))

        name, _, query = ("/api" + path).partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": name, "raw_path": name.encode(),
            "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 4200), "state": {},
            "headers": [(key.encode(), value.encode()) for key, value in sent.items()],
        }  # fmt: skip
        await self._app(scope, receive, send)
        text = b"".join(parts)
        return status, msgspec.json.decode(text) if text else None

    async def _empty(self) -> None:
        async def work(unit: Unit) -> None:
            for table in self._tables:
                await unit.run(f"delete from {table}")

        if not self._tables:
            self._tables = await self._find_tables()
        await self.core.database.write(work, workspace=None)

    async def _find_tables(self) -> list[str]:
        statement = (
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
            if self.core.database.dialect is Dialect.SQLITE
            else "select table_name from information_schema.tables where table_schema = 'public'"
        )
        found = await self.core.database.read(None).all(statement)
        return sorted(row[0] for row in found if row[0] not in _KEPT)


@contextmanager
def running(url: str, home: Path) -> Iterator[Server]:
    """A server on a migrated database."""
    found = discover()
    flags = {"home": str(home), "database.url": url, "database.synchronous": "normal"}
    settings = load(found, environ={}, flags=flags)
    clock = SettableClock()
    with asyncio.Runner() as runner:
        core = Core.create(settings, found=found, clock=clock, chance=random.Random(1))  # noqa: S311
        runner.run(core.open())
        runner.run(add_other_workspace(core))
        try:
            yield Server(runner, core, clock)
        finally:
            runner.run(core.close())
