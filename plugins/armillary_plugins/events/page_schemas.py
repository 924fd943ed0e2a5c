"""What the pages of events show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from armillary.clock import from_micros
from armillary_plugins.events.repository.finding import Stored
from armillary_web.pages import TwinPaths

_PAGES = {
    "flow-run": "/runs/flow-run",
    "task-run": "/runs/task-run",
    "flow": "/flows/flow",
    "deployment": "/deployments/deployment",
    "work-pool": "/work-pools/work-pool",
    "work-queue": "/work-queues/work-queue",
    "block-document": "/blocks/block",
    "automation": "/automations/automation",
    "concurrency-limit": "/concurrency-limits/concurrency-limit",
    "variable": "/variables/variable",
}
"""Where pages of resources are, by kind; the id follows."""
_ID, _NAME, _ROLE = "prefect.resource.id", "prefect.resource.name", "prefect.resource.role"


class _Told(msgspec.Struct):
    """What pages show of a stored event; the payload as it is, whatever numbers it has."""

    event: str
    resource: dict[str, str]
    related: tuple[dict[str, str], ...] = ()
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    follows: str | None = None


_told = msgspec.json.Decoder(_Told).decode


class Choice(msgspec.Struct, frozen=True):
    """An entry of the pick list of ranges."""

    value: str
    text: str


class ResourceShown(msgspec.Struct, frozen=True, kw_only=True):
    """What an event is about, or has to do with."""

    id: str
    name: str | None
    role: str | None
    path: str | None
    """Where its page is, if it has one."""
    labels: tuple[tuple[str, str], ...] = ()
    """What else is said of it."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> ResourceShown:
        """Shape it."""
        resource_id = given.get(_ID, "")
        return cls(
            id=resource_id,
            name=given.get(_NAME),
            role=given.get(_ROLE),
            path=page_of(resource_id),
            labels=tuple(
                (key, value) for key, value in given.items() if key not in (_ID, _NAME, _ROLE)
            ),
        )


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event in the feed."""

    id: str
    event: str
    occurred: datetime
    resource: ResourceShown
    path: str
    """Where its page is."""

    @classmethod
    def of(cls, stored: Stored) -> EventRow:
        """Shape it."""
        told = _told(stored.body)
        occurred = from_micros(stored.place.occurred)
        return cls(
            id=stored.id,
            event=told.event,
            occurred=occurred,
            resource=ResourceShown.of(told.resource),
            path=f"/events/event/{occurred:%Y-%m-%d}/{stored.id}",
        )


class EventTwin(msgspec.Struct, frozen=True, kw_only=True):
    """An event in the feed for programs."""

    id: str
    event: str
    occurred: datetime
    received: datetime
    resource_id: str
    resource_name: str | None

    @classmethod
    def of(cls, stored: Stored) -> EventTwin:
        """Shape it."""
        row = EventRow.of(stored)
        return cls(
            id=row.id,
            event=row.event,
            occurred=row.occurred,
            received=from_micros(stored.received),
            resource_id=row.resource.id,
            resource_name=row.resource.name,
        )


class EventFeed(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the feed, newest first."""

    rows: tuple[EventRow, ...]
    ranges: tuple[Choice, ...]
    twins: TwinPaths
    live_path: str | None
    """None where the newest are not shown."""
    range: str
    event: str = ""
    """How names begin that are looked for."""
    resource: str = ""
    filtered: bool = False
    previous_path: str | None = None
    next_path: str | None = None


class EventDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its own page."""

    id: str
    event: str
    occurred: datetime
    received: datetime
    follows: str | None
    resource: ResourceShown
    related: tuple[ResourceShown, ...]
    payload: str
    """JSON."""
    body: str

    @classmethod
    def of(cls, stored: Stored) -> EventDetail:
        """Shape it."""
        told = _told(stored.body)
        return cls(
            id=stored.id,
            event=told.event,
            occurred=from_micros(stored.place.occurred),
            received=from_micros(stored.received),
            follows=told.follows,
            resource=ResourceShown.of(told.resource),
            related=tuple(ResourceShown.of(each) for each in told.related),
            payload=bytes(told.payload).decode(),
            body=stored.body,
        )


def page_of(resource_id: str) -> str | None:
    """Where the page of a resource is, if it has one."""
    kind, _, key = resource_id.removeprefix("prefect.").partition(".")
    known = resource_id.startswith("prefect.") and key and key.isascii()
    plain = known and all(letter.isalnum() or letter == "-" for letter in key)
    return f"{_PAGES[kind]}/{key}" if plain and kind in _PAGES else None
