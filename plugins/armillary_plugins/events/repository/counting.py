"""Counting events by span of time, by name, by resource."""

from __future__ import annotations

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Reader
from armillary_plugins.events.repository.conditions import Conditions
from armillary_plugins.events.schemas import EventCount, EventFilter
from armillary_plugins.events.spans import Spans
from armillary_plugins.events.window import Window

_NAMES = ("prefect.resource.name", "prefect.name")


class _Named(msgspec.Struct):
    resource: dict[str, str]


_decode = msgspec.json.Decoder(_Named).decode


async def count_by_time(
    reader: Reader, events: EventFilter, window: Window, *, spans: Spans
) -> list[EventCount]:
    """Count by span; every span is there, however empty."""
    source = Conditions(reader.workspace, window, reader.dialect).source(events)
    rows = await reader.all(
        f"select ({source.occurred} - ?) / ?, count(*) from {source.tables}"
        f" where {source.where.sql} group by 1",
        spans.start,
        spans.length,
        *source.where.args,
    )
    counts = {row[0]: row[1] for row in rows}
    answer = []
    for place in range(spans.number):
        start, end = map(from_micros, spans.bounds(place))
        answer.append(EventCount(str(place), start.isoformat(), counts.get(place, 0), start, end))
    return answer


async def count_by_name(reader: Reader, events: EventFilter, window: Window) -> list[EventCount]:
    """Count by name, the most frequent first."""
    source = Conditions(reader.workspace, window, reader.dialect).source(events)
    rows = await reader.all(
        f"select event.event, count(*), min({source.occurred}), max({source.occurred})"
        f" from {source.tables} where {source.where.sql}"
        " group by event.event order by 2 desc, 1",
        *source.where.args,
    )
    return [
        EventCount(name, name, count, from_micros(first), from_micros(last))
        for name, count, first, last in rows
    ]


async def count_by_resource(
    reader: Reader, events: EventFilter, window: Window
) -> list[EventCount]:
    """Count by primary resource, the most frequent first, each by the name it had last."""
    source = Conditions(reader.workspace, window, reader.dialect).source(events)
    each = "partition by event.resource_id"
    rows = await reader.all(
        "select ranked.resource_id, ranked.number, ranked.first, ranked.last, newest.body"
        f" from (select event.resource_id as resource_id, {source.key} as key,"
        f" count(*) over ({each}) as number, min({source.occurred}) over ({each}) as first,"
        f" max({source.occurred}) over ({each}) as last,"
        f" row_number() over ({each} order by {source.occurred} desc, {source.key} desc) as place"
        f" from {source.tables} where {source.where.sql}) ranked"
        " join event newest on newest.key = ranked.key where ranked.place = 1",
        *source.where.args,
    )
    found = [
        EventCount(row[0], _name(row[0], row[4]), row[1], from_micros(row[2]), from_micros(row[3]))
        for row in rows
    ]
    return sorted(found, key=lambda each: (-each.count, each.label))


def _name(resource_id: str, body: str) -> str:
    labels = _decode(body).resource
    return next((labels[name] for name in _NAMES if labels.get(name)), resource_id)
