"""Limits, slots and leases as spec/orchestration.md has them (4.1 to 4.5), counted one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

SECOND = 1_000_000
LOCKED, IMPOSSIBLE = 423, 422


@dataclass
class Limit:
    """A limit; ``since`` is when the slot that decays next began to."""

    name: str
    limit: int
    active: bool = True
    count: int = 0
    decay: Fraction = Fraction(0)
    since: Fraction = Fraction(0)

    def settle(self, now: int) -> None:
        """Let go of what has decayed until now."""
        if not self.decay:
            return
        gone = floor((now - self.since) * self.decay / SECOND)
        if gone >= self.count:
            self.count, self.since = 0, Fraction(now)
        else:
            self.count -= gone
            self.since += gone * SECOND / self.decay

    def used(self, now: int) -> int:
        self.settle(now)
        return self.count

    def add(self, slots: int, now: int) -> None:
        if not self.used(now):
            self.since = Fraction(now)
        self.count += slots

    def remove(self, slots: int, now: int) -> None:
        self.count = max(0, self.used(now) - slots)
        if not self.count:
            self.since = Fraction(now)


@dataclass
class Lease:
    """Slots of the limits that counted when they were taken."""

    counted: list[Limit]
    slots: int
    ends: int | None
    holder: str | None = None


@dataclass
class LimitModel:
    limits: dict[str, Limit] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)

    def found(self, names: Iterable[str]) -> list[Limit]:
        return [self.limits[name] for name in sorted(set(names)) if name in self.limits]

    def refusal(self, names: Iterable[str], slots: int, *, rate: bool, now: int) -> int | None:
        """The status of a refused request, or None where it is granted."""
        counted = [each for each in self.found(names) if each.active]
        if any(each.limit < slots for each in counted):
            return IMPOSSIBLE
        if rate and any(not each.decay for each in counted):
            return IMPOSSIBLE
        if any(each.used(now) + slots > each.limit for each in counted):
            return LOCKED
        return None

    def take(self, names: Iterable[str], slots: int, now: int) -> list[Limit]:
        """Take slots of all; return the limits that counted."""
        counted = [each for each in self.found(names) if each.active]
        for each in counted:
            each.add(slots, now)
        return counted

    def give(self, names: Iterable[str], slots: int, now: int) -> None:
        for each in self.found(names):
            if each.active:
                each.remove(slots, now)

    def end(self, lease_id: str, now: int) -> None:
        lease = self.leases.pop(lease_id)
        for each in lease.counted:
            each.remove(lease.slots, now)

    def reap(self, now: int) -> None:
        for lease_id, lease in list(self.leases.items()):
            if lease.ends is not None and lease.ends <= now:
                self.end(lease_id, now)

    def forget(self, name: str) -> None:
        """Delete a limit; nobody holds anything of it any more."""
        gone = self.limits.pop(name)
        for lease in self.leases.values():
            lease.counted = [each for each in lease.counted if each is not gone]

    def holds(self, holder: str, limit: Limit) -> bool:
        return any(
            lease.holder == holder and any(each is limit for each in lease.counted)
            for lease in self.leases.values()
        )

    def holders(self, name: str) -> list[str]:
        limit = self.limits[name]
        return sorted(
            lease.holder
            for lease in self.leases.values()
            if lease.holder and any(each is limit for each in lease.counted)
        )
