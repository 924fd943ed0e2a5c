"""The short way of a hot request: from the parser to its handler, and its answer in one piece.

::

    parsed ──▶ hot, small and plain? ──no──▶ uvicorn's way: scope, task, messages, Litestar
                       │ yes
                       ▼
               handler, at once ──▶ answered from one row ──▶ written
                       │ waits for the database             ▲
                       └────────────────────────────────────┘

What makes a request slow here is not what it asks for but what is set up for it.  So nothing is: no
scope, no messages, no task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

if TYPE_CHECKING:
    from armillary.api import Answer, Route

MAX_BODY = 64 * 1024
"""Bytes; a larger body comes in parts, of which uvicorn holds the next back."""
_CONTROL = {*range(32), 127}

Found: TypeAlias = "tuple[Route, Mapping[str, str]]"
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


class Answering(Protocol):
    """What answers hot requests."""

    @property
    def at_once(self) -> bool:
        """Whether one row is looked up without waiting, and nothing asks for the current task."""

    def find(self, method: str, path: str) -> Found | None:
        """The hot operation at a path."""

    def answer(
        self, found: Found, headers: Headers, query: bytes, body: bytes
    ) -> Coroutine[Any, Any, Answer]:
        """Answer a request, whatever it comes to."""


class _Nobody:
    """Nobody waits for more of a request that is answered when it is whole."""

    def set(self) -> None:
        """Do nothing."""


_NOBODY = _Nobody()


class Short:
    """One request on the short way; what is public is what uvicorn's protocol looks at."""

    __slots__ = (
        "body", "disconnected", "found", "headers", "keep_alive", "more_body", "query",
        "response_complete",
    )  # fmt: skip

    message_event = _NOBODY

    def __init__(self, found: Found, headers: Headers, query: bytes) -> None:
        self.found = found
        self.headers = headers
        self.query = query
        self.keep_alive = True
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False


def taken(answering: Answering, method: bytes, url: bytes, headers: Headers) -> Short | None:
    """Take the short way for a hot request that is small and plain; None for any other."""
    path, _, query = url.partition(b"?")
    if b"%" in path or b"#" in url or not path.isascii():
        return None
    found = answering.find(method.decode("latin-1"), path.decode("ascii"))
    if found is None:
        return None
    for name, value in headers:
        if name == b"content-length":
            if not value.isdigit() or int(value) > MAX_BODY:
                return None
        elif name in {b"transfer-encoding", b"expect", b"upgrade"}:
            return None
    return Short(found, headers, query)


class Pending:
    """Work that was begun and waits for the database; it goes on when that has answered.

    A task would do the same, and be known to the loop, be cancelled, be told who waits for it; none
    of which is needed for work that waits for nothing but futures of ours.
    """

    __slots__ = ("_done", "_failed", "_work")

    def __init__(
        self,
        work: Coroutine[Any, Any, Answer],
        done: Callable[[Answer], None],
        failed: Callable[[], None],
    ) -> None:
        self._work = work
        self._done = done
        self._failed = failed

    def begin(self) -> None:
        """Go as far as it goes without waiting."""
        try:
            awaited = self._work.send(None)
        except StopIteration as end:
            self._done(end.value)
        except asyncio.CancelledError:
            self._failed()
        else:
            if awaited is None:
                asyncio.get_running_loop().call_soon(self.begin)
            else:
                awaited.add_done_callback(self._go_on)

    def _go_on(self, _: asyncio.Future[Any]) -> None:
        self.begin()


def written(answer: Answer, defaults: Headers, *, keep_alive: bool) -> bytes:
    """The whole answer as it goes over the wire; ValueError for a header that breaks lines."""
    body = answer.body
    parts = [STATUS_LINE[answer.status]]
    for name, value in defaults:
        parts += (name, b": ", value, b"\r\n")
    parts.append(b"content-length: %d\r\n" % len(body))
    if body:
        parts += (b"content-type: ", answer.media_type.encode(), b"\r\n")
    if answer.headers:
        for text, value_text in answer.headers.items():
            line = f"{text.lower()}: {value_text}".encode("latin-1")
            if not _CONTROL.isdisjoint(line):
                message = f"the header {text} has control characters"
                raise ValueError(message)
            parts += (line, b"\r\n")
    if not keep_alive:
        parts.append(b"connection: close\r\n")
    parts += (b"\r\n", body)
    return b"".join(parts)
