"""Notices a database that has fallen silent: it keeps its connections and answers nothing.

A database that stops or dies closes its connections, and whoever waits is told at once.  One
whose machine hangs, or that a network has cut off, does not: statements then wait for minutes,
until the system gives up.  So when work has been under way for some seconds, the simplest
question is asked over a connection of its own.  If that stays without an answer, everything under
way is let go, and what is asked next is refused at once, until the question is answered again.
However long a statement takes, it is left alone as long as the database answers.

It goes by the loop's time, not by the clock: what it measures is how long the network is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import asyncpg

_LOOK = 2.0
"""Seconds after which work under way is a reason to ask."""
_LOOK_WHILE_SILENT = 0.25
_PATIENCE = 5.0
"""Seconds that the simplest question may take."""
_STOOD_STILL = 1.0
"""Who notices so much later that they are over was not there himself."""
_REFUSED = (
    asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError,
)  # fmt: skip
_log = logging.getLogger("armillary.db")


class Pulse:
    """Knows which connections are in use, and lets go of them when nothing is answered."""

    def __init__(self, url: str, *, patience: float = _PATIENCE) -> None:
        self.silent = False
        self._url = url
        self._patience = patience
        self._under_way: dict[Any, float] = {}
        self._busy = asyncio.Event()
        self._never = asyncio.Event()
        self._connection: Any = None

    def begin(self, connection: object) -> None:
        """Say that a connection is in use from now on."""
        self._under_way[connection] = asyncio.get_running_loop().time()
        self._busy.set()

    def end(self, connection: object) -> None:
        """Say that it is not any more."""
        self._under_way.pop(connection, None)

    async def run(self) -> None:
        """Look after what is under way until cancelled."""
        try:
            while True:
                await self._busy.wait()
                await self._pause(_LOOK_WHILE_SILENT if self.silent else _LOOK)
                if self.silent or self._overdue():
                    await self.beat()
                elif not self._under_way:
                    self._busy.clear()
        finally:
            self._let_go()

    async def beat(self) -> None:
        """Ask once; a refusal is an answer too, and everybody else hears it himself."""
        silent, until = False, asyncio.get_running_loop().time() + self._patience
        try:
            async with asyncio.timeout(self._patience):
                if self._connection is None:
                    self._connection = await asyncpg.connect(self._url)
                await self._connection.execute("select 1")
        except TimeoutError:
            if asyncio.get_running_loop().time() > until + _STOOD_STILL:
                return
            silent = True
        except _REFUSED:
            self._let_go()
        if silent:
            self._let_go()
            for connection in list(self._under_way):
                connection.terminate()
        if silent != self.silent:
            self.silent = silent
            if silent:
                _log.error(
                    "the database has not answered for %g s; everything under way is let go",
                    self._patience,
                )
            else:
                _log.warning("the database answers again")

    def _overdue(self) -> bool:
        first = next(iter(self._under_way.values()), None)
        return first is not None and asyncio.get_running_loop().time() - first >= _LOOK

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._never.wait(), seconds)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
