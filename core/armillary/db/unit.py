"""One transaction of one workspace, with its events.

A unit of work is an ``async`` function that takes a :class:`Unit` and awaits nothing but it.
On SQLite the one writer drives it from begin to end without a pause; on PostgreSQL it has a
transaction of its own.  What it emits is in the outbox exactly when its changes are committed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from armillary.clock import from_micros
from armillary.db.dialect import Dialect

Row: TypeAlias = Sequence[Any]


class Emitted(msgspec.Struct, frozen=True):
    """An outbox row to be: what happened, under which id, as JSON text."""

    topic: str
    id: str
    body: str


class Reader(ABC):
    """Looks things up for one workspace; None looks across all (services only).

    ``one`` is for look-ups by key: on SQLite it runs on the event loop.  ``all`` may scan.
    """

    dialect: Dialect

    def __init__(self, workspace: int | None) -> None:
        self._workspace = workspace

    @property
    def workspace(self) -> int:
        """The workspace's key; an error in a unit that looks across workspaces."""
        if self._workspace is None:
            message = "this unit looks across workspaces: take the workspace from the row"
            raise RuntimeError(message)
        return self._workspace

    @abstractmethod
    async def one(self, sql: str, *args: object) -> Row | None:
        """Return the first row, or None."""

    @abstractmethod
    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        """Return every row."""

    async def value(self, sql: str, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        row = await self.one(sql, *args)
        return None if row is None else row[0]


class Unit(Reader):
    """A transaction.  ``micros`` and ``now`` are when it began."""

    narrow = False
    """Whether an update had better name those columns only that change.

    SQLite writes the entries of every index whose column an update names, although its value stays.
    """

    def __init__(self, workspace: int | None, micros: int) -> None:
        super().__init__(workspace)
        self.micros = micros
        self.emitted: list[tuple[int, Emitted]] = []
        self.committed: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        """When the unit began."""
        return from_micros(self.micros)

    @abstractmethod
    async def run(self, sql: str, *args: object) -> int:
        """Execute a statement; return how many rows it touched."""

    @abstractmethod
    async def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement once for each row of arguments."""

    @abstractmethod
    async def for_each(self, sql: str, ids: Sequence[str]) -> Sequence[Row]:
        """Run a select whose only argument is ``= ?`` written as ``{one}`` for all of the ids."""

    def emit(self, event: Emitted, *, workspace: int | None = None) -> None:
        """Put an event into the outbox with this transaction."""
        self.emitted.append((self.workspace if workspace is None else workspace, event))

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something, on the event loop, once this is durable."""
        self.committed.append(call)


OUTBOX_INSERT = (
    "insert into outbox (topic, workspace, event_id, body, tx) values (?, ?, ?, ?, {transaction})"
)


def outbox_rows(emitted: Iterable[tuple[int, Emitted]]) -> list[tuple[str, int, str, str]]:
    """Shape what units emitted for :data:`OUTBOX_INSERT`."""
    return [(event.topic, workspace, event.id, event.body) for workspace, event in emitted]
