"""The streams of open pages: what is told to all, and what waits for each.

A message says that something changed, never what: told twice it means no more than once.  So
what waits for a slow stream is kept once each, and beyond a bound a single "everything".  Messages
are numbered and the last ones kept, so that a page hears what happened between its making and its
stream, or while the connection was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

import msgspec

WAITING = 200
"""Different messages that wait for one stream."""
KEPT = 2000
"""Messages kept for streams that come later."""

_encode = msgspec.json.Encoder().encode


def message(kind: str, run_id: str | None = None) -> str:
    """Write a message: what changed, and of which run."""
    told = {"kind": kind} if run_id is None else {"kind": kind, "id": run_id}
    return _encode(told).decode()


RUNS = message("runs")
DEPLOYMENTS = message("deployments")
POOLS = message("pools")
EVERYTHING = message("all")
BEAT = message("beat")
TIME = message("time")
"""Time has passed, by which alone some things change."""


class Stream:
    """One open page: what it has not been told yet."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: dict[str, None] = {}
        self.ended = False

    def offer(self, text: str) -> None:
        """Let a message wait."""
        self._waiting[text] = None
        if len(self._waiting) > WAITING:
            self._waiting = {EVERYTHING: None}
        self._wake()

    def take(self) -> list[str]:
        """Return what waits."""
        taken, self._waiting = list(self._waiting), {}
        return taken

    def end(self) -> None:
        """Say that no more comes."""
        self.ended = True
        self._wake()


class Streams:
    """The open streams of this process, by workspace.  ``life`` tells processes apart."""

    def __init__(self, life: int) -> None:
        self._life = f"{life:x}"
        self._number = 0
        self._last_place: int | None = None
        """The last place a page was told."""
        self._kept: deque[tuple[int, int, str]] = deque(maxlen=KEPT)
        self._open: dict[int, set[Stream]] = {}
        self._closed = False

    @property
    def place(self) -> str:
        """Where the messages are now."""
        self._last_place = self._number
        return f"{self._life}-{self._number}"

    @property
    def unheard(self) -> bool:
        """Whether nobody listens, nor could come back and be told from a place he knows."""
        if any(self._open.values()):
            return False
        return self._last_place is None or self._number - self._last_place > KEPT

    def skip(self, count: int) -> None:
        """Count what nobody hears; who comes back from before it is told to look anew."""
        self._number += count
        self._kept.clear()

    def tell(self, workspace: int, text: str) -> None:
        """Tell a workspace's pages that something changed."""
        self._number += 1
        self._kept.append((self._number, workspace, text))
        for stream in self._open.get(workspace, ()):
            stream.offer(text)

    def beat(self) -> None:
        """Give every page a sign of life, and let it look at what changes by itself."""
        for streams in self._open.values():
            for stream in streams:
                stream.offer(BEAT)
                stream.offer(TIME)

    def add(self, workspace: int, stream: Stream, *, after: str | None) -> None:
        """Tell a stream what happens from now on, and what happened after a place."""
        stream.offer(BEAT)
        for text in self._since(workspace, after):
            stream.offer(text)
        self._open.setdefault(workspace, set()).add(stream)
        if self._closed:
            stream.end()

    def remove(self, workspace: int, stream: Stream) -> None:
        """Tell it no more."""
        self._open[workspace].discard(stream)

    def close(self) -> None:
        """End all streams, and those that still come."""
        self._closed = True
        for streams in self._open.values():
            for stream in streams:
                stream.end()

    def _since(self, workspace: int, after: str | None) -> list[str]:
        if after is None:
            return []
        life, _, text = after.partition("-")
        number = int(text) if text.isascii() and text.isdigit() else -1
        first = self._kept[0][0] if self._kept else self._number + 1
        if life != self._life or not first - 1 <= number <= self._number:
            return [EVERYTHING]
        return [text for at, place, text in self._kept if at > number and place == workspace]

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))


_STREAMS: WeakKeyDictionary[object, Streams] = WeakKeyDictionary()


def streams_of(core: object, life: int) -> Streams:
    """Return the streams of a core, made with this number of its life when first asked for."""
    found = _STREAMS.get(core)
    if found is None:
        found = _STREAMS[core] = Streams(life)
    return found
