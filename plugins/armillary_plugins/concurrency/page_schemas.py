"""What the pages of limits show."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.clock import from_micros
from armillary.concurrency.leases import NEVER
from armillary.concurrency.limits import DEPLOYMENT_PREFIX
from armillary.concurrency.slots import TAG_PREFIX, denied, used
from armillary.db.unit import Row
from armillary_plugins.concurrency.repository import Kind, Named
from armillary_web.pages import TwinPaths

KINDS: dict[Kind, str] = {
    "all": "All",
    "global": "Global",
    "tag": "Tags",
    "deployment": "Deployments",
}


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A limit in the list, and on its own page."""

    id: str
    name: str
    kind: str
    """``global``, ``tag`` or ``deployment``."""
    shown: str
    """The tag, the deployment's name, or the limit's."""
    deployment_id: str | None
    active: bool
    limit: int
    taken: int
    denied: int
    """Slots that were asked for in vain lately."""
    decay: float
    created: datetime

    @property
    def full(self) -> bool:
        """Whether nobody gets a slot now."""
        return self.active and self.taken >= self.limit

    @classmethod
    def of(cls, named: Named, now: int) -> LimitRow:
        """Shape it."""
        limit = named.limit
        kind, shown = "global", limit.name
        if limit.name.startswith(TAG_PREFIX):
            kind, shown = "tag", limit.name.removeprefix(TAG_PREFIX)
        elif limit.name.startswith(DEPLOYMENT_PREFIX):
            kind, shown = "deployment", named.deployment_name or limit.name
        return cls(
            id=limit.id,
            name=limit.name,
            kind=kind,
            shown=shown,
            deployment_id=named.deployment_id,
            active=limit.active,
            limit=limit.limit,
            taken=used(limit, now),
            denied=denied(limit, now),
            decay=limit.decay,
            created=from_micros(limit.created),
        )


class LimitTab(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of limits to look at."""

    path: str
    text: str
    current: bool
    css: str | None = None
    icon: str | None = None
    count: int | None = None


class LimitPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list of limits."""

    rows: tuple[LimitRow, ...]
    tabs: tuple[LimitTab, ...]
    twins: TwinPaths
    live_path: str
    back: str
    name: str = ""
    kind: str = ""
    filtered: bool = False
    previous_path: str | None = None
    next_path: str | None = None


class HolderRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who holds slots."""

    lease_id: str
    since: datetime
    until: datetime | None
    """When the slots go back unless they are asked for longer; None where they do when it ends."""
    slots: int
    holder_type: str | None
    holder_id: str | None
    holder_name: str | None

    @classmethod
    def of(cls, row: Row) -> HolderRow:
        """Shape it."""
        return cls(
            lease_id=row[0],
            since=from_micros(row[1]),
            until=None if row[2] == NEVER else from_micros(row[2]),
            slots=row[3],
            holder_type=row[4],
            holder_id=row[5],
            holder_name=row[6] or row[7] or row[8],
        )


class LimitDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A limit on its own page."""

    row: LimitRow
    holders: tuple[HolderRow, ...]
    twins: TwinPaths
    live_path: str
    back: str
    more: bool = False
    """Not all holders are shown."""

    @property
    def held(self) -> int:
        """Slots of the holders shown."""
        return sum(holder.slots for holder in self.holders)


class LimitTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a limit as it is filled in."""

    kind: str = "global"
    name: str = ""
    limit: str = ""
    decay: str = "0"
