"""An event loop whose time is counted, not waited for, and whose processes can be killed.

::

    ready callbacks ──▶ run ──▶ nothing ready ──▶ time jumps to the next timer

A process is a set of callbacks: everything that is called with its context.  A process that was
killed runs no further line, not even what stands in a ``finally``: that is what a kill is.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
_START_MICROS = (START - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
_LAYERS = 4
"""How many `finally` that wait for something may lie around each other."""
_HERE: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class Stalled(Exception):
    """Nothing is ready and no timer is set: somebody waits for ever."""


class Process:
    """Something that is killed as a whole, at once or after so many callbacks or commits."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.calls_left: int | None = None
        self.commits_left: int | None = None
        self.on_death: list[Callable[[], None]] = []
        self._held: list[_Call] | None = None

    def kill(self) -> None:
        """Run nothing of it any more."""
        if self.alive:
            self.alive = False
            self._held = None
            for call in self.on_death:
                call()

    def freeze(self) -> None:
        """Run nothing of it for a while, as after SIGSTOP; the world goes on."""
        if self.alive and self._held is None:
            self._held = []

    def thaw(self) -> None:
        """Run on, with all that has come up meanwhile."""
        held, self._held = self._held, None
        for call in held or ():
            call.again()

    def holds(self, call: _Call) -> bool:
        """Keep a callback of a frozen process for later; False if it is not frozen."""
        if self._held is None:
            return False
        self._held.append(call)
        return True

    def in_last_commit(self) -> bool:
        """Tell whether it is to die in or right after the commit that begins now."""
        if self.commits_left is not None:
            self.commits_left -= 1
        return self.commits_left is not None and self.commits_left < 0

    def counted(self) -> bool:
        """Tell whether one more callback may run."""
        if self.alive and self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                self.kill()
        return self.alive


class Timeline(asyncio.SelectorEventLoop):
    """The loop of a simulation; one that has no threads and no sockets."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        super().__init__(selectors.SelectSelector())

    def time(self) -> float:
        return self.elapsed

    def _run_once(self) -> None:
        """One turn, as the real loop's; where that would sleep, time goes on."""
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            if not scheduled:
                raise Stalled
            self.elapsed += max(0.0, scheduled[0]._when - self.elapsed)
        due = self.elapsed + self._clock_resolution  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._when < due:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        if context is None:
            context = contextvars.copy_context()
        kind = asyncio.Handle if context.get(_HERE) is None else _Call
        handle = kind(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        if context is None:
            context = contextvars.copy_context()
        kind = asyncio.TimerHandle if context.get(_HERE) is None else _LateCall
        handle = kind(when, callback, args, self, context)
        heapq.heappush(self._scheduled, handle)  # type: ignore[attr-defined]
        handle._scheduled = True  # type: ignore[attr-defined]
        return handle

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, *_: Any) -> Any:  # type: ignore[override]
        message = "a thread would make a simulation that cannot be repeated"
        raise RuntimeError(message)

    def bury(self) -> None:
        """End what is left in the middle of something: all of it, quietly, and for good."""
        for task in sorted(asyncio.all_tasks(self), key=asyncio.Task.get_name):
            for _ in range(_LAYERS):
                with contextlib.suppress(BaseException):
                    task.get_coro().close()
        self.close()

    def within(self, process: Process, call: Callable[[], asyncio.Task[Any]]) -> asyncio.Task[Any]:
        """Begin a task that belongs to a process."""
        context = contextvars.copy_context()
        context.run(_HERE.set, process)
        return context.run(call)


class _Call(asyncio.Handle):
    """A callback that belongs to a process: run, held, or dropped with it."""

    __slots__ = ()

    _context: contextvars.Context
    _loop: Timeline

    def _run(self) -> None:
        process = self._context[_HERE]
        assert process is not None, "a call of nobody is a plain handle"
        if not process.holds(self) and process.counted():
            super()._run()

    def again(self) -> None:
        """Run after all, unless it was cancelled meanwhile."""
        self._loop.call_later(0, self._late, context=contextvars.Context())

    def _late(self) -> None:
        if not self.cancelled():
            self._run()


class _LateCall(_Call, asyncio.TimerHandle):
    """The same at its time."""

    __slots__ = ()


def here() -> Process | None:
    """The process whose code runs now."""
    return _HERE.get()


class SimulatedClock:
    """A process's clock: the loop's time, and how far the wall clock was put wrong."""

    def __init__(self, loop: Timeline) -> None:
        self._loop = loop
        self.straight = True
        """Whether it was right from the beginning."""
        self._wrong = timedelta()
        self._origin = _START_MICROS
        """What it shows when the loop begins, in microseconds."""

    @property
    def wrong(self) -> timedelta:
        """How far it is put wrong."""
        return self._wrong

    @wrong.setter
    def wrong(self, wrong: timedelta) -> None:
        self.straight = False
        self._wrong = wrong
        self._origin = _START_MICROS + wrong // timedelta(microseconds=1)

    def now(self) -> datetime:
        return START + self._wrong + timedelta(microseconds=round(self._loop.elapsed * 1e6))

    def micros(self) -> int:
        return self._origin + round(self._loop.elapsed * 1e6)

    def monotonic(self) -> float:
        return self._loop.elapsed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
