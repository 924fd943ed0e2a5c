"""An event loop whose time is counted, not waited for, and whose processes can be killed.

::

    ready callbacks ──▶ run ──▶ nothing ready ──▶ time jumps to the next timer

A process is a set of callbacks: everything that is called with its context.  A process that was
killed runs no further line, not even what stands in a ``finally``: that is what a kill is.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HERE: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class Stalled(Exception):
    """Nothing is ready and no timer is set: somebody waits for ever."""


class Process:
    """Something that is killed as a whole, at once or after so many further callbacks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.calls_left: int | None = None
        self.on_death: list[Callable[[], None]] = []

    def kill(self) -> None:
        """Run nothing of it any more."""
        if self.alive:
            self.alive = False
            for call in self.on_death:
                call()

    def counted(self) -> bool:
        """Tell whether one more callback may run."""
        if self.alive and self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                self.kill()
        return self.alive


class _Turns(selectors.SelectSelector):
    """Waits for nothing: where the loop would sleep, its time goes on."""

    loop: Timeline

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stalled
        if timeout > 0:
            self.loop.elapsed += timeout
        return []


class Timeline(asyncio.SelectorEventLoop):
    """The loop of a simulation; one that has no threads and no sockets."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        turns = _Turns()
        turns.loop = self
        super().__init__(turns)

    def time(self) -> float:
        return self.elapsed

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        return super().call_soon(*_guarded(callback, args, context), context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return super().call_at(when, *_guarded(callback, args, context), context=context)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, *_: Any) -> Any:  # type: ignore[override]
        message = "a thread would make a simulation that cannot be repeated"
        raise RuntimeError(message)

    def within(self, process: Process, call: Callable[[], asyncio.Task[Any]]) -> asyncio.Task[Any]:
        """Begin a task that belongs to a process."""
        context = contextvars.copy_context()
        context.run(_HERE.set, process)
        return context.run(call)


def _guarded(callback: Any, args: tuple[Any, ...], context: Any) -> tuple[Any, ...]:
    process = _HERE.get() if context is None else context.get(_HERE)
    if process is None:
        return (callback, *args)

    def guarded() -> None:
        if process.counted():
            callback(*args)

    return (guarded,)


class SimulatedClock:
    """A process's clock: the loop's time, and how far the wall clock was put wrong."""

    def __init__(self, loop: Timeline) -> None:
        self._loop = loop
        self.wrong = timedelta()

    def now(self) -> datetime:
        return START + self.wrong + timedelta(microseconds=round(self._loop.elapsed * 1e6))

    def micros(self) -> int:
        return (self.now() - _EPOCH) // timedelta(microseconds=1)

    def monotonic(self) -> float:
        return self._loop.elapsed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
