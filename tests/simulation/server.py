"""The whole server as one process of a simulation: the real app, engine, services and file."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

from armillary.app import in_front, routed
from armillary.broker import Broker
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.discovery import Found, discover
from armillary.plugins import Plugins, enabled_among
from armillary.server import services_of
from armillary.services.supervisor import Supervisor
from armillary.settings import Settings, load
from armillary.workspaces import DEFAULT_ACCOUNT
from tests.simulation.disk import Disk
from tests.simulation.places import ELSEWHERE
from tests.simulation.store import SimulatedSqlite
from tests.simulation.timeline import Process, SimulatedClock, Timeline

_FOUND: dict[str, Mapping[str, Found]] = {}
_LOADED: dict[tuple[str, ...], Plugins] = {}
_ROUTED: list[Any] = []
_GRACE = 5.0


def found() -> Mapping[str, Found]:
    """The plugins of this installation, looked for once."""
    if not _FOUND:
        _FOUND["all"] = discover()
    return _FOUND["all"]


def _loaded(targets: Iterable[str]) -> Plugins:
    """The plugins of every process with those targets: they keep nothing of one."""
    key = tuple(targets)
    if key not in _LOADED:
        enabled = enabled_among(found(), enable=(), disable=("agent", "ui"))
        _LOADED[key] = Plugins(found(), enabled=enabled, targets=key)
    return _LOADED[key]


def _routed(core: Core) -> Any:
    """What answers all that is not hot: built once, since it knows of no core but a request's."""
    if not _ROUTED:
        _ROUTED.append(routed(core))
    return _ROUTED[0]


_THERE = "select key from workspace where key = ?"


async def _add_elsewhere(unit: Unit) -> None:
    """Make the second workspace, as nobody can over HTTP yet."""
    if await unit.one("select 1 from workspace where key = ?", ELSEWHERE.key) is not None:
        return
    await unit.run(
        "insert into workspace (key, id, account_id, name, handle, created)"
        " values (?, ?, ?, 'Elsewhere', 'elsewhere', 0)",
        ELSEWHERE.key, ELSEWHERE.id, DEFAULT_ACCOUNT,
    )  # fmt: skip


class Server:
    """Is started, killed and started again on the same file."""

    def __init__(self, loop: Timeline, home: Path, chance: random.Random) -> None:
        self.loop = loop
        self.home = home
        self.chance = chance
        self.clock = SimulatedClock(loop)
        self.file = home / "armillary.db"
        self.disk = Disk(chance)
        self.settings: dict[str, Any] = {}
        self._loaded: Settings | None = None
        """What every process of it reads from them."""
        self.process = Process("nobody")
        self.process.kill()
        self.app: Any = None
        self.starts = 0
        self._first = 0
        """Where in what is kept the process that runs now begins."""
        self._told: asyncio.Event
        self.kept: list[asyncio.Task[Any]] = []
        """Tasks of killed processes: collected as garbage they would run their `finally`."""
        self.failures: list[str] = []
        """What ended a process by itself."""

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return self.process.alive and self.app is not None

    async def start(self) -> None:
        """Start a process and wait until it answers, or was killed before it did."""
        self.starts += 1
        process = Process(f"server {self.starts}")
        ready: asyncio.Future[None] = self.loop.create_future()

        def died() -> None:
            self.app = None
            if not ready.done():
                ready.set_result(None)

        process.on_death.append(died)
        self.process = process
        self._told = asyncio.Event()
        self._first = len(self.kept)
        self.spawn(lambda: self._watched(process, ready))
        await ready

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin something in the process that runs now; nothing if it was killed."""
        loop, process = self.loop, self.process
        if process.alive:
            self.kept.append(loop.within(process, lambda: loop.create_task(work())))

    async def _watched(self, process: Process, ready: asyncio.Future[None]) -> None:
        try:
            await self._run(process, ready)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be seen
            failure = "".join(traceback.format_exception(error))
            self.failures.append(f"the server ended by itself: {failure}")
            process.kill()

    async def _run(self, process: Process, ready: asyncio.Future[None]) -> None:
        file = f"sqlite:///{self.file}"
        flags = {"home": str(self.home), "database.url": file, **self.settings}
        settings = self._loaded = self._loaded or load(found(), environ={}, flags=flags)
        database = SimulatedSqlite(self.file, self.clock, self.chance, self.disk)
        process.on_death.append(database.cut)
        core = Core(
            settings=settings,
            plugins=_loaded(settings.targets),
            database=database,
            clock=self.clock,
            chance=self.chance,
        )
        await core.open()
        if await core.database.read(None).one(_THERE, ELSEWHERE.key) is None:
            await core.database.write(_add_elsewhere, workspace=None)
        broker: Broker = core.broker
        await broker.start(absent=[])
        supervisor = Supervisor(services_of(core))
        await supervisor.start()
        self.app = in_front(core, _routed(core))
        ready.set_result(None)
        told: asyncio.Future[Any] = asyncio.ensure_future(self._told.wait())
        await asyncio.wait({told, supervisor.failure}, return_when=asyncio.FIRST_COMPLETED)
        if supervisor.failure.done():
            raise supervisor.failure.result()
        await self._end(core, supervisor)
        process.kill()

    async def _end(self, core: Core, supervisor: Supervisor) -> None:
        """Take nothing new, answer what has begun, and let go of everything, as the real one."""
        self.app = None
        supervisor.wind_down()
        under_way = {task for task in self.kept[self._first + 1 :] if not task.done()}
        if under_way:
            await asyncio.wait(under_way, timeout=_GRACE)
        await supervisor.stop()
        await core.close()

    def stop(self) -> None:
        """As by SIGTERM."""
        self._told.set()

    def kill(self) -> None:
        """As by kill -9."""
        self.process.kill()
