"""The arithmetic of slots: pure functions of a limit and a moment.

A limit's counters are true at its ``updated``; from there they decay.  Every change folds the
decay in first and keeps the begun part of the next slot, so that no number of changes stalls it.
Source: the slot arithmetic of the Prefect 3 concurrency limits.
"""

from __future__ import annotations

import math

import msgspec

_SECOND = 1_000_000
_MOST = 2**31 - 1
_SHORTEST_OCCUPANCY = 0.1
_LONGEST_WAIT = 30.0
_LONGEST_TAG_WAIT = 10.0
TAG_PREFIX = "tag:"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A concurrency limit as stored; times in microseconds, durations in seconds."""

    id: str
    created: int
    updated: int
    name: str
    active: bool
    limit: int
    active_slots: int
    denied_slots: int
    decay: float
    occupancy: float

    @property
    def longest_wait(self) -> float:
        """The longest time anybody is told to wait for it."""
        return _LONGEST_TAG_WAIT if self.name.startswith(TAG_PREFIX) else _LONGEST_WAIT


def used(limit: Limit, now: int) -> int:
    """Count the slots that are taken now."""
    if limit.decay <= 0:
        return limit.active_slots
    return max(0, limit.active_slots - _decayed(limit, now))


def denied(limit: Limit, now: int) -> int:
    """Count the slots that were asked for in vain lately."""
    return max(0, limit.denied_slots - _decayed(limit, now))


def settled(limit: Limit, now: int) -> Limit:
    """Fold decay in; what has begun to decay goes on where it was."""
    taken, refused = used(limit, now), denied(limit, now)
    waiting = taken if limit.decay > 0 else refused
    clock = now
    if waiting:
        clock = limit.updated + math.ceil(_decayed(limit, now) / _rate(limit) * _SECOND)
    return msgspec.structs.replace(
        limit, active_slots=taken, denied_slots=refused, updated=min(clock, now)
    )


def has_room(limit: Limit, slots: int, now: int) -> bool:
    """Tell whether so many slots can be taken; an inactive limit has none to give."""
    return limit.active and used(limit, now) + slots <= limit.limit


def taken(limit: Limit, slots: int, now: int) -> Limit:
    """Take slots of a limit that has room for them."""
    limit = settled(limit, now)
    return msgspec.structs.replace(limit, active_slots=limit.active_slots + slots)


def refused(limit: Limit, slots: int, now: int) -> Limit:
    """Note that slots were asked for in vain."""
    limit = settled(limit, now)
    return msgspec.structs.replace(limit, denied_slots=min(limit.denied_slots + slots, _MOST))


def given_back(limit: Limit, slots: int, now: int, *, seconds: float | None = None) -> Limit:
    """Give slots back, never below none; ``seconds`` is how long they were held."""
    limit = settled(limit, now)
    occupancy = limit.occupancy
    if seconds is not None and limit.limit > 0:
        each = max(seconds / slots, _SHORTEST_OCCUPANCY)
        occupancy += (each - occupancy) / (2 * limit.limit)
    return msgspec.structs.replace(
        limit, active_slots=max(0, limit.active_slots - slots), occupancy=occupancy
    )


def _rate(limit: Limit) -> float:
    """Slots a second by which what decays decays."""
    if limit.decay > 0:
        return limit.decay
    return 1 / min(max(limit.occupancy, _SHORTEST_OCCUPANCY), limit.longest_wait)


def _decayed(limit: Limit, now: int) -> int:
    return int(min(_rate(limit) * max(0, now - limit.updated) / _SECOND, _MOST))
