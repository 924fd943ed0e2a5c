"""The thread in which a group is made durable, while the loop goes on with the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Work = tuple[Callable[..., object], tuple[Any, ...]]


class CommitThread:
    """Does one thing after the other; begins each at once.

    Who hands work over waits until it is taken up: a thread that wakes up has to ask for the
    interpreter, and a busy loop would give it away only milliseconds later, so that nothing
    happened at the same time after all.
    """

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._taken = threading.Lock()
        self._taken.acquire()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[..., object], /, *args: object) -> None:
        """Have it called soon; what it raises is lost, so it must not raise."""
        self._work.put((work, args))
        self._taken.acquire()

    def shutdown(self) -> None:
        """Wait until all is done."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            self._taken.release()
            work, args = item
            work(*args)
