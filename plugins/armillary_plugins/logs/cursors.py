"""Where somebody is who reads a log while it grows."""

from __future__ import annotations

import re

import msgspec

BEFORE = (-(2**62), 0)
"""A time and key before every line."""
_LATE = 600 * 1_000_000
"""Microseconds by which a line may arrive later than younger ones and still be shown."""
_TEXT = re.compile(r"(p|a)(-?\d{1,19})\.(\d{1,18})\.(\d{1,18})")


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """First through what was there, by time; then through what arrives, by key.

    ``timestamp`` and ``key`` are the line that was given last, ``newest`` the newest line that
    was there at the beginning, or, later, that was given.
    """

    newest: int
    timestamp: int = BEFORE[0]
    key: int = BEFORE[1]
    paging: bool = True

    @property
    def since(self) -> int:
        """The time before which no line is expected any more."""
        return self.timestamp - _LATE if self.timestamp > BEFORE[0] else self.timestamp

    def after(self, last: tuple[int, int] | None, *, more: bool) -> Cursor:
        """Move behind the lines just given, the last of which is ``last``."""
        if last is None:
            return msgspec.structs.replace(self, paging=False)
        if self.paging:
            return msgspec.structs.replace(self, timestamp=last[0], key=last[1], paging=more)
        return msgspec.structs.replace(self, timestamp=max(self.timestamp, last[0]), newest=last[1])


def written(cursor: Cursor) -> str:
    """Write a cursor as it travels in an address."""
    kind = "p" if cursor.paging else "a"
    return f"{kind}{cursor.timestamp}.{cursor.key}.{cursor.newest}"


def read(text: str | None) -> Cursor | None:
    """Read a cursor; None for what is none, which means the beginning."""
    found = _TEXT.fullmatch(text or "")
    if found is None or abs(int(found[2])) > -BEFORE[0]:
        return None
    return Cursor(
        paging=found[1] == "p", timestamp=int(found[2]), key=int(found[3]), newest=int(found[4])
    )
