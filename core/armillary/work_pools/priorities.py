"""Priorities of a pool's queues: whole numbers from 1, no two alike, low goes first."""

from __future__ import annotations

from collections.abc import Mapping


def first_free(taken: Mapping[str, int]) -> int:
    """Return the lowest priority nobody has."""
    used = set(taken.values())
    candidate = 1
    while candidate in used:
        candidate += 1
    return candidate


def placed(taken: Mapping[str, int], queue: str, priority: int) -> dict[str, int]:
    """Give ``queue`` its priority; return every queue whose priority changes.

    Whoever stands in the way is moved up by one, and whoever stands in *their* way, until
    there is a gap.
    """
    others = sorted(
        ((place, name) for name, place in taken.items() if name != queue), key=lambda each: each[0]
    )
    changed: dict[str, int] = {}
    if taken.get(queue) != priority:
        changed[queue] = priority
    occupied = priority
    for place, name in others:
        if place < occupied:
            continue
        if place > occupied:
            break
        occupied += 1
        changed[name] = occupied
    return changed
