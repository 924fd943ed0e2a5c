"""Limits, slots and leases as clients send them and as they are answered."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from armillary.api import Body, OrDefault
from armillary.clock import from_micros
from armillary.concurrency.leases import Holder, HolderType, Lease
from armillary.concurrency.limits import new_limit
from armillary.concurrency.slots import TAG_PREFIX, Limit
from armillary.errors import Invalid

_NAME = re.compile(r"[^/%&><]+")
_MOST = 2**31 - 1
_SHORTEST_LEASE, _LONGEST_LEASE = 60, 86400


class CreateLimit(Body):
    """A limit to create."""

    name: str
    limit: int
    active: OrDefault[bool] = True
    active_slots: OrDefault[int] = 0
    denied_slots: OrDefault[int] = 0
    slot_decay_per_second: OrDefault[float] = 0.0

    def made(self, limit_id: str, now: int) -> Limit:
        """Make the limit; Invalid if it cannot be one."""
        return msgspec.structs.replace(
            new_limit(limit_id, checked_name(self.name), count(self.limit, "limit"), now),
            active=self.active,
            active_slots=count(self.active_slots, "active_slots"),
            denied_slots=count(self.denied_slots, "denied_slots"),
            decay=_rate(self.slot_decay_per_second),
        )


class UpdateLimit(Body):
    """Changes to a limit; what is absent or null stays."""

    name: str | None = None
    limit: int | None = None
    active: bool | None = None
    active_slots: int | None = None
    denied_slots: int | None = None
    slot_decay_per_second: float | None = None

    def applied(self, limit: Limit) -> Limit:
        """Return the limit as it is to be; Invalid if it cannot be so."""
        return msgspec.structs.replace(
            limit,
            name=limit.name if self.name is None else checked_name(self.name),
            limit=limit.limit if self.limit is None else count(self.limit, "limit"),
            active=limit.active if self.active is None else self.active,
            active_slots=(
                limit.active_slots
                if self.active_slots is None
                else count(self.active_slots, "active_slots")
            ),
            denied_slots=(
                limit.denied_slots
                if self.denied_slots is None
                else count(self.denied_slots, "denied_slots")
            ),
            decay=(
                limit.decay
                if self.slot_decay_per_second is None
                else _rate(self.slot_decay_per_second)
            ),
        )


class ListLimits(Body):
    """Which part of the limits to list, by name."""

    limit: int | None = None
    offset: OrDefault[int] = 0


class TakeSlots(Body):
    """Slots to take of every one of some limits."""

    slots: int
    names: list[str]
    mode: OrDefault[Literal["concurrency", "rate_limit"]] = "concurrency"

    def check(self) -> None:
        """Raise Invalid for what cannot be taken."""
        checked_slots(self.slots, self.names)


class WireHolder(msgspec.Struct, frozen=True):
    """Who takes them."""

    type: HolderType
    id: UUID


class TakeSlotsUnderLease(TakeSlots):
    """The same, to be given back when the lease ends."""

    lease_duration: OrDefault[float] = 300.0
    holder: WireHolder | None = None

    def check(self) -> None:
        """Raise Invalid for what cannot be taken."""
        super().check()
        checked_duration(self.lease_duration)

    def held_by(self) -> Holder | None:
        """Say who takes them, as stored."""
        return None if self.holder is None else Holder(self.holder.type, str(self.holder.id))


class GiveSlotsBack(Body):
    """Slots to give back to every one of some limits, and how long they were held."""

    slots: int
    names: list[str]
    occupancy_seconds: float | None = None

    def check(self) -> None:
        """Raise Invalid for what cannot be given back."""
        checked_slots(self.slots, self.names)
        seconds = self.occupancy_seconds
        if seconds is not None and not 0 <= seconds < math.inf:
            raise _invalid("occupancy_seconds", f"must be 0 or more, not {seconds}")


class EndLease(Body):
    """The lease to end."""

    lease_id: UUID


class RenewLease(Body):
    """For how long."""

    lease_duration: OrDefault[float] = 300.0


class CreatedLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as answered to who created it."""

    id: str
    created: datetime
    updated: datetime
    active: bool
    name: str
    limit: int
    active_slots: int
    denied_slots: int
    slot_decay_per_second: float
    avg_slot_occupancy_seconds: float

    @classmethod
    def of(cls, limit: Limit) -> CreatedLimit:
        """Shape it."""
        return cls(
            id=limit.id,
            created=from_micros(limit.created),
            updated=from_micros(limit.updated),
            active=limit.active,
            name=limit.name,
            limit=limit.limit,
            active_slots=limit.active_slots,
            denied_slots=limit.denied_slots,
            slot_decay_per_second=limit.decay,
            avg_slot_occupancy_seconds=limit.occupancy,
        )


class ShortLimit(msgspec.Struct, frozen=True):
    """A limit as answered to who took slots of it."""

    id: str
    name: str
    limit: int


class Granted(msgspec.Struct, frozen=True):
    """A lease, and the limits it is on."""

    lease_id: str
    limits: list[ShortLimit]


class CreateTagLimit(Body):
    """How many task runs with a tag may run."""

    tag: str
    concurrency_limit: int


class ResetTagLimit(Body):
    """Who holds the slots afterwards."""

    slot_override: list[UUID] | None = None


class TagSlots(Body):
    """One slot of each of some tags, for a task run."""

    names: list[str]
    task_run_id: UUID


class TagLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit on a tag as answered, with the task runs that hold its slots."""

    id: str
    created: datetime
    updated: datetime
    tag: str
    concurrency_limit: int
    active_slots: list[str]

    @classmethod
    def of(cls, limit: Limit, held: Iterable[Lease]) -> TagLimit:
        """Shape it."""
        holders = [lease.holder for lease in held]
        return cls(
            id=limit.id,
            created=from_micros(limit.created),
            updated=from_micros(limit.updated),
            tag=limit.name.removeprefix(TAG_PREFIX),
            concurrency_limit=limit.limit,
            active_slots=[each.id for each in holders if each and each.type == "task_run"],
        )


def short(limits: Iterable[Limit]) -> list[ShortLimit]:
    """Shape limits for who took slots of them, by name."""
    return [
        ShortLimit(limit.id, limit.name, limit.limit)
        for limit in sorted(limits, key=lambda each: each.name)
    ]


def checked_name(name: str) -> str:
    """Return the name; Invalid if it cannot be one."""
    if not _NAME.fullmatch(name):
        raise _invalid(
            "name", f"must not be empty and must not contain any of / % & > <, as {name!r} does"
        )
    return name


def count(value: int, member: str) -> int:
    """Return the number; Invalid if it is below zero, or more than any database keeps."""
    if not 0 <= value <= _MOST:
        raise _invalid(member, f"must be between 0 and {_MOST}, not {value}")
    return value


def checked_duration(seconds: float) -> None:
    """Raise Invalid for a lease that is too short or too long."""
    if not _SHORTEST_LEASE <= seconds <= _LONGEST_LEASE:
        raise _invalid(
            "lease_duration",
            f"must be between {_SHORTEST_LEASE} and {_LONGEST_LEASE} seconds, not {seconds:g}",
        )


def checked_slots(slots: int, names: list[str]) -> None:
    """Raise Invalid unless at least one slot of at least one limit is meant."""
    if not 1 <= slots <= _MOST:
        raise _invalid("slots", f"must be between 1 and {_MOST}, not {slots}")
    if not names:
        raise _invalid("names", "must name at least one limit")


def _rate(value: float) -> float:
    if not 0 <= value < math.inf:
        raise _invalid("slot_decay_per_second", f"must be 0 or more, not {value}")
    return value


def _invalid(member: str, problem: str) -> Invalid:
    return Invalid(f"{member} {problem}.", loc=("body", member))
