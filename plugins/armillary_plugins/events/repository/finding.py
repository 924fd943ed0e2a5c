"""Finding stored events: a page, how many, and on from a place."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Reader
from armillary_plugins.events.repository.conditions import Conditions
from armillary_plugins.events.schemas import EventFilter
from armillary_plugins.events.window import Window


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
    where = Conditions(reader.workspace, window, reader.dialect).on(events)
    way = "asc" if events.order == "ASC" else "desc"
    by_time = f"order by occurred {way}, key {way}"
    if events.distinct:
        sql = (
            f"select body from (select body, occurred, key, row_number() over"
            f" (partition by resource_id {by_time}) as place from event where {where.sql}) ranked"
            f" where place = 1 {by_time} limit ? offset ?"
        )
    else:
        sql = f"select body from event where {where.sql} {by_time} limit ? offset ?"
    return [row[0] for row in await reader.all(sql, *where.args, limit, offset)]


async def count_events(reader: Reader, events: EventFilter, window: Window) -> int:
    """Count the events a filter lets through; with ``distinct``, their resources."""
    where = Conditions(reader.workspace, window, reader.dialect).on(events)
    what = "distinct resource_id" if events.distinct else "*"
    rows = await reader.all(f"select count({what}) from event where {where.sql}", *where.args)
    return int(rows[0][0])


async def events_after(
    reader: Reader, events: EventFilter, window: Window, *, place: Place | None, limit: int
) -> list[Stored]:
    """List the next events behind a place, oldest first."""
    where = Conditions(reader.workspace, window, reader.dialect).on(events)
    behind, arguments = "", where.args
    if place is not None:
        behind = "and (occurred, key) > (?, ?)"
        arguments = (*arguments, place.occurred, place.key)
    rows = await reader.all(
        f"select occurred, key, id, received, body from event where {where.sql} {behind}"
        " order by occurred, key limit ?",
        *arguments,
        limit,
    )
    return [Stored(Place(row[0], row[1]), row[2], row[3], row[4]) for row in rows]
