"""Says that this process is on its database, and refuses to be the second one.

Where the database is a file its lock does that.  Elsewhere every process has a row that it
touches every few seconds.  A row of a process that died on this machine is taken at once; one
from elsewhere once it was not touched for a while, or was not while we looked: a clock that was
put back leaves rows in the future.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import msgspec

from armillary.db.unit import Unit
from armillary.errors import ConfigError, Unavailable
from armillary.services.service import Service

if TYPE_CHECKING:
    from armillary.core import Core

_TOUCH_EVERY = 5.0
_GONE_AFTER = 15.0
_LOOK_EVERY = 1.0
_ONE_AT_A_TIME = "select key from workspace where key = 1 {for_update}"
_ALL = "select id, targets, seen from server_process order by id"
_ENTER = "insert into server_process (id, targets, seen) values (?, ?, ?)"
_TOUCH = "update server_process set seen = ? where id = ?"
_LEAVE = "delete from server_process where id = ?"


class Process(msgspec.Struct, frozen=True):
    """A process that uses the database."""

    id: str
    targets: str
    seen: int

    @property
    def shown(self) -> str:
        """Where it runs and what."""
        host, pid, _ = self.id.split(" ")
        return f"process {pid} on {host}, which runs {self.targets}"

    def is_dead(self) -> bool:
        """Tell whether it ran on this machine and is no more."""
        host, pid, _ = self.id.split(" ")
        return host == socket.gethostname() and not _alive(int(pid))


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


class Presence(Service):
    """This process's row."""

    name = "presence"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._id = f"{socket.gethostname().replace(' ', '-')} {os.getpid()} {core.ids.uuid7()}"
        self._targets = ",".join(sorted(core.plugins.targets))

    async def open(self) -> None:
        """Enter; ConfigError if another process is alive on this database."""
        clock = self.core.clock
        began = clock.monotonic()
        other = await self._enter()
        if other is not None:
            self.log.info("waiting whether %s is still there", other.shown)
        while other is not None:
            await clock.sleep(_LOOK_EVERY)
            now = await self._enter(gone=other if clock.monotonic() - began > _GONE_AFTER else None)
            if now is not None and now != other:
                message = (
                    f"This database is already used by {now.shown}. Several processes on one "
                    "database need Redis to hear from each other, and none is set up: stop the "
                    "other one, or give this one a database of its own."
                )
                raise ConfigError(message)
            other = now

    async def run(self) -> None:
        """Touch the row until cancelled."""
        while True:
            await self.core.clock.sleep(_TOUCH_EVERY)
            try:
                touched = await self.core.database.write(self._touch, workspace=None)
                other = None if touched else await self._enter()
            except Unavailable as error:
                self.log.warning("not seen for now: %s", error)
                continue
            if other is not None:
                message = f"meanwhile the database was taken by {other.shown}"
                raise RuntimeError(message)

    async def close(self) -> None:
        """Leave."""

        async def leave(unit: Unit) -> None:
            await unit.run(_LEAVE, self._id)

        await self.core.database.write(leave, workspace=None)

    async def _touch(self, unit: Unit) -> int:
        return await unit.run(_TOUCH, unit.micros, self._id)

    async def _enter(self, *, gone: Process | None = None) -> Process | None:
        """Enter unless another process, not the one that is gone, may be alive; return that one."""

        async def enter(unit: Unit) -> Process | None:
            await unit.one(_ONE_AT_A_TIME)
            for row in await unit.all(_ALL):
                process = Process(row[0], row[1], row[2])
                untouched = process.seen < unit.micros - _GONE_AFTER * 1_000_000
                if untouched or process == gone or process.is_dead():
                    await unit.run(_LEAVE, process.id)
                elif process.id != self._id:
                    return process
            await unit.run(_ENTER, self._id, self._targets, unit.micros)
            return None

        return await self.core.database.write(enter, workspace=None)
