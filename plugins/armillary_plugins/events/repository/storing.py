"""Storing events: many at once, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TypeVar

import msgspec

from armillary.clock import to_micros
from armillary.db.unit import Unit

T = TypeVar("T")
_EVENT_COLUMNS = "workspace, id, occurred, received, event, resource_id, follows, body"
_RESOURCE_COLUMNS = "workspace, resource_id, occurred, event_key"
_EVENTS = 100
_RESOURCES = 200
"""Rows of one statement: its text must not have too many shapes, nor too many arguments."""


class _Resource(msgspec.Struct, frozen=True, gc=False):
    id: str = msgspec.field(name="prefect.resource.id")


class _Header(msgspec.Struct, frozen=True):
    """What of an event becomes columns; the rest is not even decoded."""

    id: str
    occurred: datetime
    received: datetime
    event: str
    resource: _Resource
    related: list[_Resource] = msgspec.field(default_factory=list)
    follows: str | None = None


_decode = msgspec.json.Decoder(_Header).decode


class NewEvent(msgspec.Struct, frozen=True):
    """An event as it goes into the store."""

    workspace: int
    header: _Header
    body: str


def new_event(workspace: int, body: str) -> NewEvent:
    """Read from an event's text what is stored beside it."""
    return NewEvent(workspace, _decode(body), body)


async def insert_events(unit: Unit, events: Sequence[NewEvent]) -> int:
    """Store events that are not there yet; return how many were new."""
    stored = 0
    for some in _parts(events, _EVENTS):
        arguments: list[object] = []
        for event in some:
            header = event.header
            arguments += (
                event.workspace,
                header.id,
                to_micros(header.occurred),
                to_micros(header.received),
                header.event,
                header.resource.id,
                header.follows,
                event.body,
            )
        keys = {
            (row[1], row[2]): row[0]
            for row in await unit.all(_insert_events(len(some)), *arguments)
        }
        stored += len(keys)
        await _insert_resources(unit, some, keys)
    return stored


async def _insert_resources(
    unit: Unit, events: Sequence[NewEvent], keys: dict[tuple[int, str], int]
) -> None:
    """Say which resources the new events have to do with."""
    rows: set[tuple[int, str, int, int]] = set()
    for event in events:
        header = event.header
        key = keys.get((event.workspace, header.id))
        if key is None:
            continue
        occurred = to_micros(header.occurred)
        for resource in (header.resource, *header.related):
            rows.add((event.workspace, resource.id, occurred, key))
    for part in _parts(sorted(rows), _RESOURCES):
        await unit.run(_insert_rows(len(part)), *chain.from_iterable(part))


def _parts(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


@cache
def _insert_events(count: int) -> str:
    return (
        f"insert into event ({_EVENT_COLUMNS}) values {_places(8, count)}"
        " on conflict (workspace, id) do nothing returning key, workspace, id"
    )


@cache
def _insert_rows(count: int) -> str:
    return (
        f"insert into event_resource ({_RESOURCE_COLUMNS}) values {_places(4, count)}"
        " on conflict do nothing"
    )


def _places(width: int, count: int) -> str:
    return ", ".join([f"({', '.join('?' * width)})"] * count)
