"""What the server asks of a database, whichever it is."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from armillary.clock import Clock
from armillary.db.dialect import Dialect
from armillary.db.operation import Operation
from armillary.db.unit import Reader, Unit

T = TypeVar("T")
Request = TypeVar("Request")
_log = logging.getLogger("armillary.db")
_SAY_EVERY = 5.0
"""Seconds: on a full disk every group fails, hundreds of them a second."""


class Database(ABC):
    """One database: units of work in, durable answers out."""

    dialect: Dialect
    at_once = False
    """Whether one row is looked up without waiting."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._listeners: list[Callable[[], None]] = []
        self._failures = 0
        """Groups that could not be written since that was last said."""
        self._said = -_SAY_EVERY

    def on_events(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` on the event loop whenever a commit put events into the outbox."""
        self._listeners.append(listener)

    @abstractmethod
    async def open(self) -> None:
        """Connect; ConfigError with one sentence if that cannot be."""

    @abstractmethod
    async def close(self) -> None:
        """Let what is queued finish, then disconnect."""

    @abstractmethod
    def read(self, workspace: int | None) -> Reader:
        """Look things up in one workspace, or, with None, across all."""

    @abstractmethod
    def write(self, work: Callable[[Unit], Awaitable[T]], *, workspace: int | None) -> Awaitable[T]:
        """Do a unit of work; the answer comes once it is durable."""

    @abstractmethod
    def perform(self, operation: Operation[Request, T], request: Request) -> Awaitable[T]:
        """Do a request of a hot operation together with what has queued."""

    def settled(self, units: Iterable[Unit]) -> None:
        """Tell those who listen that these units are durable; what goes wrong there is theirs."""
        events = False
        for unit in units:
            events = events or bool(unit.emitted)
            for call in unit.committed:
                _told(call)
        if events:
            for listener in self._listeners:
                _told(listener)

    def failed(self, error: BaseException) -> None:
        """Say now and then that whole groups of units could not be made durable."""
        self._failures += 1
        now = self.clock.monotonic()
        if now - self._said >= _SAY_EVERY:
            _log.error(
                "commits fail (%d since this was last said), nothing of theirs is written: %s",
                self._failures,
                error,
            )
            self._failures, self._said = 0, now


def _told(listener: Callable[[], None]) -> None:
    try:
        listener()
    except Exception:  # noqa: BLE001 - the commit stands, whatever they do
        _log.exception("something failed after a commit, which stands")
