"""Finding stored events: a page, how many, and on from a place."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Reader
from armillary_plugins.events.repository.conditions import Conditions, Source
from armillary_plugins.events.schemas import EventFilter
from armillary_plugins.events.window import Window

_BY_ID = """
select event.occurred, event.key, event.id, event.received, event.body
from event where event.workspace = ? and event.id = ?
"""


class Place(msgspec.Struct, frozen=True):
    """Behind which event, by time."""

    occurred: int
    key: int


class Stored(msgspec.Struct, frozen=True):
    """A stored event and where it stands."""

    place: Place
    id: str
    received: int
    body: str


async def filter_events(
    reader: Reader, events: EventFilter, window: Window, *, limit: int, offset: int
) -> list[str]:
    """List events as JSON text, in the order the filter asks for."""
    source = _source(reader, events, window)
    way = "asc" if events.order == "ASC" else "desc"
    by_time = f"order by {source.occurred} {way}, {source.key} {way}"
    if events.distinct:
        sql = (
            f"select body from (select event.body as body, {source.occurred} as occurred,"
            f" {source.key} as key, row_number() over (partition by event.resource_id {by_time})"
            f" as place from {source.tables} where {source.where.sql}) ranked where place = 1"
            f" order by occurred {way}, key {way} limit ? offset ?"
        )
    else:
        sql = (
            f"select event.body from {source.tables} where {source.where.sql} {by_time}"
            " limit ? offset ?"
        )
    return [row[0] for row in await reader.all(sql, *source.where.args, limit, offset)]


async def count_events(reader: Reader, events: EventFilter, window: Window) -> int:
    """Count the events a filter lets through; with ``distinct``, their resources."""
    source = _source(reader, events, window)
    what = "distinct event.resource_id" if events.distinct else "*"
    sql = f"select count({what}) from {source.tables} where {source.where.sql}"
    rows = await reader.all(sql, *source.where.args)
    return int(rows[0][0])


async def events_after(
    reader: Reader, events: EventFilter, window: Window, *, place: Place | None, limit: int
) -> list[Stored]:
    """List the next events behind a place, oldest first."""
    source = _source(reader, events, window)
    behind, arguments = "", source.where.args
    if place is not None:
        behind = f"and ({source.occurred}, {source.key}) > (?, ?)"
        arguments = (*arguments, place.occurred, place.key)
    rows = await reader.all(
        f"select {source.occurred}, {source.key}, event.id, event.received, event.body"
        f" from {source.tables} where {source.where.sql} {behind}"
        f" order by {source.occurred}, {source.key} limit ?",
        *arguments,
        limit,
    )
    return [Stored(Place(row[0], row[1]), row[2], row[3], row[4]) for row in rows]


async def list_feed(  # noqa: PLR0913 - which, from where, in which direction, how many
    reader: Reader,
    events: EventFilter,
    window: Window,
    *,
    place: Place | None,
    newer: bool,
    limit: int,
) -> list[Stored]:
    """List the newest events, or those right before a place, or right behind it, oldest first."""
    if place is not None and not newer:
        window = Window(window.since, min(window.until, place.occurred))
    elif place is not None:
        window = Window(max(window.since, place.occurred), window.until)
    source = _source(reader, events, window)
    cut, arguments = "", source.where.args
    if place is not None:
        cut = f"and ({source.occurred}, {source.key}) {'>' if newer else '<'} (?, ?)"
        arguments = (*arguments, place.occurred, place.key)
    way = "asc" if newer else "desc"
    rows = await reader.all(
        f"select {source.occurred}, {source.key}, event.id, event.received, event.body"
        f" from {source.tables} where {source.where.sql} {cut}"
        f" order by {source.occurred} {way}, {source.key} {way} limit ?",
        *arguments,
        limit,
    )
    return [Stored(Place(row[0], row[1]), row[2], row[3], row[4]) for row in rows]


async def read_event(reader: Reader, event_id: str) -> Stored | None:
    """Read a stored event."""
    row = await reader.one(_BY_ID, reader.workspace, event_id)
    return None if row is None else Stored(Place(row[0], row[1]), row[2], row[3], row[4])


def _source(reader: Reader, events: EventFilter, window: Window) -> Source:
    return Conditions(reader.workspace, window, reader.dialect).source(events)
