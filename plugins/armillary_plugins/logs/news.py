"""Who in this process is told that log lines have been stored."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from armillary_plugins.logs.ingest import Batch


class News:
    """Tells of batches once they are durable; what another process stores is not heard of."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Batch], None]] = []

    def listen(self, listener: Callable[[Batch], None]) -> None:
        """Tell somebody from now on."""
        self._listeners.append(listener)

    def leave(self, listener: Callable[[Batch], None]) -> None:
        """Tell him no more."""
        self._listeners.remove(listener)

    def tell(self, batch: Batch) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(batch)

    def __len__(self) -> int:
        return len(self._listeners)


_NEWS: WeakKeyDictionary[object, News] = WeakKeyDictionary()


def news_of(core: object) -> News:
    """Return the one place where a core's routes tell and others listen."""
    return _NEWS.setdefault(core, News())
