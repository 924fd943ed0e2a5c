"""A part of a list, cut where a page of it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

P = TypeVar("P")
R = TypeVar("R")


class Slice(msgspec.Struct, Generic[R], frozen=True):
    """Consecutive rows in the order of the list."""

    rows: Sequence[R]
    more: bool
    """There are further ones in the direction that was looked in."""

    def ends(self, place: Callable[[R], P]) -> tuple[P, P] | None:
        """Where the first and the last row stand; None where there is none."""
        return (place(self.rows[0]), place(self.rows[-1])) if self.rows else None


def cut(rows: Sequence[R], limit: int, *, backwards: bool = False) -> Slice[R]:
    """Cut what was read, one row more than wanted; ``backwards`` it came in reverse order."""
    wanted = rows[:limit]
    return Slice(wanted[::-1] if backwards else wanted, len(rows) > limit)
