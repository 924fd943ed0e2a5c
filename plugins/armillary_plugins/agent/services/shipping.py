"""Carries log lines to the server: many together, none lost, and no more than fit in memory.

::

    processes ──▶ add ──▶ queue of bounded size ──▶ one request at a time ──▶ server
                   │ full                               │ away
                   └── waits, so the process waits      └── again, for as long as it takes, unless
                                                            the lines are there already
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from armillary.clock import Clock
from armillary_plugins.agent.services.link import Away, Link, Turned
from armillary_plugins.logs.schemas import CreateLog

_ROOM = 2 * 1024 * 1024
"""Characters that wait at most."""
_ROWS = 1000
_CHARACTERS = 512 * 1024
_GATHER = 0.1
"""Seconds for which lines are gathered before they are sent."""
_AGAIN = 1.0
_log = logging.getLogger("armillary_plugins.agent")


class Shipper:
    """Sends what is added, in its order."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._waiting: deque[CreateLog] = deque()
        self._characters = 0
        self._added = 0
        self._sent = 0
        self._wanted = 0
        """Up to which line somebody waits."""
        self._something = asyncio.Event()
        self._progress = asyncio.Condition()

    async def add(self, lines: Sequence[CreateLog]) -> None:
        """Queue lines, as soon as there is room."""
        if self._characters >= _ROOM:
            async with self._progress:
                await self._progress.wait_for(lambda: self._characters < _ROOM)
        self._waiting.extend(lines)
        self._characters += sum(len(line.message) for line in lines)
        self._added += len(lines)
        self._something.set()

    async def flush(self) -> None:
        """Wait until everything that was added so far is with the server."""
        upto = self._added
        if self._sent >= upto:
            return
        self._wanted = max(self._wanted, upto)
        self._something.set()
        async with self._progress:
            await self._progress.wait_for(lambda: self._sent >= upto)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._something.wait()
            if self._wanted <= self._sent and self._characters < _CHARACTERS:
                await self._clock.sleep(_GATHER)
            while self._waiting:
                await self._send()
            self._something.clear()
            if self._waiting:
                self._something.set()

    async def _send(self) -> None:
        batch: list[CreateLog] = []
        characters = 0
        while self._waiting and len(batch) < _ROWS and characters < _CHARACTERS:
            line = self._waiting.popleft()
            characters += len(line.message)
            batch.append(line)
        unsure = False
        while True:
            try:
                if not (unsure and await self._is_there(batch[0])):
                    await self._link.ask("POST", "/logs/", batch)
            except Away as error:
                _log.debug("%d log lines wait: %s", len(batch), error)
                unsure = True
                await self._clock.sleep(_AGAIN)
                continue
            except Turned as error:
                _log.error("%d log lines were refused: %s", len(batch), error)
            break
        async with self._progress:
            self._sent += len(batch)
            self._characters -= characters
            self._progress.notify_all()

    async def _is_there(self, line: CreateLog) -> bool:
        """Ask whether a line was stored though nothing was heard of it, and its batch with it.

        No two lines of a run have the same time.
        """
        wanted = {
            "flow_run_id": {"any_": [line.flow_run_id]},
            "timestamp": {"after_": line.timestamp, "before_": line.timestamp},
        }
        found = await self._link.ask("POST", "/logs/filter", {"logs": wanted, "limit": 1})
        return bool(found)
