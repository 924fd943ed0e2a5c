"""Fixtures for plugin authors: a clock to move, a core on an empty database, a client of its app.

Loaded by pytest wherever Armillary is installed, so nothing of it is imported before a test asks.
``database_url`` decides the database; a test suite that overrides it runs on others.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from armillary.app import Declared
    from armillary.core import Core
    from armillary.discovery import Found
    from armillary.front import App, Front
    from armillary.services.service import Service

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_BLINK = 0.05
_ROUNDS = 20
_PATIENCE = 60.0
_KEPT = 4
_assembled: dict[tuple[int, ...], tuple[Declared, App]] = {}


class ManualClock:
    """A clock that stands until it is moved.

    ``advance`` releases sleepers in the order of their time.  A sleep of less than a blink is
    only a turn of the event loop: it paces something, it waits for nothing.
    """

    def __init__(self, start: datetime = _START) -> None:
        self._micros = (start - _EPOCH) // timedelta(microseconds=1)
        self._start = self._micros
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return _EPOCH + timedelta(microseconds=self._micros)

    def micros(self) -> int:
        """Return the same in microseconds since the epoch."""
        return self._micros

    def monotonic(self) -> float:
        """Return the seconds it was moved so far."""
        return (self._micros - self._start) / 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved that far."""
        if seconds < _BLINK:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = self._micros + round(seconds * 1_000_000)
        heapq.heappush(self._sleepers, (until, next(self._numbers), future))
        await future

    @property
    def sleepers(self) -> int:
        """How many wait for the clock to be moved."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def wakes_at(self, micros: int) -> bool:
        """Tell whether somebody sleeps until exactly then."""
        return any(until == micros for until, _, future in self._sleepers if not future.done())

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as somebody might; who sleeps does so as long as before."""
        micros = round(seconds * 1_000_000)
        self._micros += micros
        self._start += micros
        self._sleepers = [
            (until + micros, number, future) for until, number, future in self._sleepers
        ]

    async def advance(self, seconds: float) -> None:
        """Move on, letting those who wake on the way do what they do."""
        end = self._micros + round(seconds * 1_000_000)
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            until, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self._micros = max(self._micros, until)
                future.set_result(None)
                await self.settle()
        self._micros = end
        await self.settle()

    async def settle(self) -> None:
        """Let every task that can go on do so."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)


class Ear:
    """Hears what a service signals, so that a test waits for it instead of sleeping."""

    def __init__(self, service: Service) -> None:
        self._heard: asyncio.Queue[tuple[str, object]] = asyncio.Queue()
        service.signal = lambda signal, value: self._heard.put_nowait((signal, value))

    async def hear(self, signal: str) -> object:
        """Wait for the next signal of that name; return what it carries."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                name, value = await self._heard.get()
                if name == signal:
                    return value

    @property
    def silent(self) -> bool:
        """Whether nothing was signalled since the last :meth:`hear`."""
        return self._heard.empty()


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until a condition holds that something in another thread brings about."""
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110 - another thread tells nobody
            await asyncio.sleep(0.001)


@cache
def _found_on(path: tuple[str, ...]) -> dict[str, Found]:
    """Find what is installed on a path, once: to read of it takes longer than to open a core."""
    from armillary.discovery import discover  # noqa: PLC0415 - see the docstring of this module

    del path
    return discover()


def app_of(core: Core) -> Front:
    """Build the app of a core; what Litestar makes of the very same routes is made only once."""
    from armillary.app import assembled, declared_by, in_front  # noqa: PLC0415 - see the docstring

    declared = declared_by(core)
    key = tuple(map(id, (*declared.http, *declared.foreign, declared.page)))
    if key not in _assembled:
        while len(_assembled) >= _KEPT:
            del _assembled[next(iter(_assembled))]
        # Kept with what it is made of, so that nothing else comes to have the same ids.
        _assembled[key] = (declared, assembled(declared))
    return in_front(core, _assembled[key][1])


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands until the test moves it."""
    return ManualClock()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The address of an empty database: a file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'armillary.db'}"


@pytest.fixture
def core_flags() -> Mapping[str, object]:
    """Settings for ``core``, as if by flags: override it, for example with plugins to enable."""
    return {}


@pytest.fixture
async def core(
    database_url: str, clock: ManualClock, core_flags: Mapping[str, object], tmp_path: Path
) -> AsyncIterator[Core]:
    """A core on an empty, migrated database, with the clock of the test and a fixed chance."""
    from armillary.core import Core  # noqa: PLC0415 - see the docstring of this module
    from armillary.settings import load  # noqa: PLC0415

    found = _found_on(tuple(sys.path))
    flags = {"home": str(tmp_path), "database.url": database_url, **core_flags}
    settings = load(found, environ={}, flags=flags)
    made = Core.create(settings, found=found, clock=clock, chance=random.Random(1))  # noqa: S311
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def client(core: Core) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the core's app, without a socket in between."""
    import httpx  # noqa: PLC0415 - see the docstring of this module

    transport = httpx.ASGITransport(app=app_of(core))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4200") as made:
        yield made
