"""One process from its start to the end of its whole group, with every line it writes.

::

    spawn ──▶ ended by itself ───────────────────▶ whom it left behind ──▶ last lines ──▶ Ended
                │ told (cancel, lost, stop), or      is ended too
                │ its time is up
                └──▶ terminate ──▶ grace ──▶ kill ──▶
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from armillary.clock import Clock, from_micros
from armillary_plugins.agent.launch import Launch
from armillary_plugins.agent.lines import Lines
from armillary_plugins.agent.outcome import Cause, Ended
from armillary_plugins.agent.services.processes import Process, Spawner, Stream
from armillary_plugins.logs.schemas import CreateLog

INFO, WARNING = 20, 30
_PIECE = 65_536
_KEPT = 40
"""Lines of the error output that are remembered for the end."""
_LOOK = 0.1
_SETTLE = 1.0
"""Seconds that what a process left behind may take to end by itself."""
_AFTER_KILL = 2.0
_LEFT_OPEN = "A process outside of its group holds the output open; what it writes is not kept."
_LEFT_BEHIND = "The command left processes behind; they were ended."

Write = Callable[[Sequence[CreateLog]], Awaitable[None]]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How long a process may take, and how it is listened to."""

    run_id: str
    timeout: float | None = None
    grace: float = 10.0
    tee: Callable[[str, bytes], None] | None = None
    """Handed every piece of either stream as well, as it came."""
    warn: Callable[[], Awaitable[None]] | None = None
    """Called before a process that is cancelled gets the signal."""
    begun: Callable[[int], Awaitable[None]] | None = None
    """Called with the number of the process; given up when that has ended."""
    levels: tuple[int | None, int | None] = (INFO, WARNING)
    """The levels of what goes to either stream; None keeps a stream out of the log."""


class Supervision:
    """Looks after one process."""

    def __init__(self, spawner: Spawner, clock: Clock, write: Write, terms: Terms) -> None:
        self._spawner = spawner
        self._clock = clock
        self._write = write
        self._terms = terms
        self._told = asyncio.Event()
        self._cause: Cause = "itself"
        self._last_words: deque[str] = deque(maxlen=_KEPT)
        self._last_micros = 0
        self._writing = 0
        self.pid: int | None = None

    def end(self, cause: Cause) -> None:
        """Have the process ended; the first reason stands, but that it was lost."""
        if self._cause == "itself" or cause == "lost":
            self._cause = cause
        self._told.set()

    async def run(self, launch: Launch) -> Ended:
        """Start a process and see it to its end; NotStarted where it cannot be."""
        process = await self._spawner.spawn(launch)
        self.pid = process.pid
        names = (("stdout", process.stdout), ("stderr", process.stderr))
        pumps = [
            asyncio.create_task(self._pump(name, stream, level))
            for (name, stream), level in zip(names, self._terms.levels, strict=True)
        ]
        exited = asyncio.create_task(process.wait())
        telling = asyncio.create_task(self._tell_begun(process.pid))
        try:
            await self._until_over(exited)
            left_behind = await self._end_group(process, exited)
            await self._read_rest(pumps)
            return Ended(
                code=exited.result(),
                cause=self._cause,
                last_words=tuple(self._last_words),
                left_behind=left_behind,
                patience=self._terms.timeout,
            )
        except BaseException:
            process.tell_group("kill")
            raise
        finally:
            for task in (*pumps, exited, telling):
                task.cancel()
            process.release()

    async def _tell_begun(self, pid: int) -> None:
        if self._terms.begun is not None:
            await self._terms.begun(pid)

    async def _until_over(self, exited: asyncio.Task[int]) -> None:
        told = asyncio.create_task(self._told.wait())
        waiting: set[asyncio.Future[Any]] = {exited, told}
        deadline: asyncio.Task[None] | None = None
        if self._terms.timeout is not None:
            deadline = asyncio.create_task(self._clock.sleep(self._terms.timeout))
            waiting.add(deadline)
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if deadline is not None and deadline.done() and not exited.done():
                self.end("timed_out")
        finally:
            told.cancel()
            if deadline is not None:
                deadline.cancel()

    async def _end_group(self, process: Process, exited: asyncio.Task[int]) -> bool:
        """End whoever is left of the group; tell whether its head had left them behind."""
        left_behind = False
        if exited.done():
            left_behind = not await self._gone(process, exited, _SETTLE)
        if not exited.done() or left_behind:
            if self._cause == "cancelled" and self._terms.warn is not None:
                await self._terms.warn()
            process.tell_group("terminate")
            if not await self._gone(process, exited, self._terms.grace):
                process.tell_group("kill")
                await self._gone(process, exited, _AFTER_KILL)
            await exited
        if left_behind:
            await self._note(_LEFT_BEHIND)
        return left_behind

    async def _gone(self, process: Process, exited: asyncio.Task[int], seconds: float) -> bool:
        """Wait until nobody is left, for some seconds at most."""
        until = self._clock.monotonic() + seconds
        while not exited.done() or process.group_lives():
            if self._clock.monotonic() >= until:
                return False
            await self._clock.sleep(_LOOK)
        return True

    async def _read_rest(self, pumps: Sequence[asyncio.Task[None]]) -> None:
        """Read to the end of both streams, unless somebody beyond reach keeps them open."""
        if self._cause == "lost":
            return
        quiet = asyncio.create_task(self._silence())
        reading = asyncio.gather(*pumps)
        try:
            waiting: set[asyncio.Future[Any]] = {reading, quiet}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await self._note(_LEFT_OPEN)
        finally:
            quiet.cancel()
            reading.cancel()

    async def _silence(self) -> None:
        """Wait until nothing was read for a while: the writers are dead, so all is in the pipe."""
        seen = -1
        while seen != self._last_micros or self._writing:
            seen = self._last_micros
            await self._clock.sleep(_AFTER_KILL)

    async def _pump(self, name: str, stream: Stream, level: int | None) -> None:
        lines = Lines()
        while data := await stream.read(_PIECE):
            if self._terms.tee is not None:
                self._terms.tee(name, data)
            await self._take(name, level, lines.feed(data))
        await self._take(name, level, lines.end())

    async def _take(self, name: str, level: int | None, lines: list[str]) -> None:
        if name == "stderr":
            self._last_words.extend(line for line in lines[-_KEPT:] if line.strip())
        if level is None or not lines:
            return
        self._writing += 1
        try:
            await self._write([self._line(name, level, line) for line in lines])
        finally:
            self._writing -= 1

    def _line(self, name: str, level: int, message: str) -> CreateLog:
        """Give a line its time; no two of a run have the same, so that their order is kept."""
        self._last_micros = max(self._last_micros + 1, self._clock.micros())
        return CreateLog(
            name=name,
            level=level,
            message=message,
            timestamp=from_micros(self._last_micros),
            flow_run_id=self._terms.run_id,
        )

    async def _note(self, message: str) -> None:
        await self._write([self._line("agent", WARNING, message)])
