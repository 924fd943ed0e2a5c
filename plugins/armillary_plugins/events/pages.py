"""The feed of events, and the page of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from armillary.api import Call
from armillary.clock import from_micros
from armillary.errors import NotFound
from armillary_plugins.events.feed_query import BASE, RANGES, FeedQuery, read_feed_query
from armillary_plugins.events.page_schemas import (
    Choice,
    EventDetail,
    EventFeed,
    EventRow,
    EventTwin,
)
from armillary_plugins.events.repository import finding
from armillary_plugins.events.repository.finding import Stored
from armillary_web.pages import Listed, ListPage, Page, Pages, Twin, twin_paths
from armillary_web.shell import NavItem
from armillary_web.slices import Slice, cut

_SEE = "see_events"
_PAGE = 50


async def _find(call: Call, query: FeedQuery, limit: int) -> Slice[Stored]:
    backwards = query.after is not None
    found = await finding.list_feed(
        call.read(),
        query.filter,
        query.window(call.received),
        place=query.after or query.before,
        newer=backwards,
        limit=limit + 1,
    )
    return cut(found, limit, backwards=backwards)


async def _read_feed(call: Call) -> Listed:
    query = read_feed_query(call.query)
    found = await _find(call, query, _PAGE)
    if query.after and not found.more:
        query = FeedQuery(range=query.range, event=query.event, resource=query.resource)
        found = await _find(call, query, _PAGE)
    ends = found.ends(lambda stored: stored.place)
    at_the_newest = query.before is None and query.after is None
    page = EventFeed(
        rows=tuple(EventRow.of(each) for each in found.rows),
        ranges=tuple(Choice(value, text) for value, (text, _) in RANGES.items()),
        twins=twin_paths(query.path()),
        live_path=query.path("/ui/fragments") if at_the_newest else None,
        range=query.range,
        event=query.event,
        resource=query.resource,
        filtered=bool(query.event or query.resource),
        previous_path=None if at_the_newest or not ends else query.path(after=ends[0]),
        next_path=query.path(before=ends[1]) if ends and (found.more or query.after) else None,
    )
    return Listed(page, query.here())


async def _read_twin(call: Call, limit: int) -> Twin:
    query = read_feed_query(call.query)
    found = await _find(call, query, limit)
    rows = [EventTwin.of(each) for each in found.rows]
    following = query.path(before=found.rows[-1].place) if found.more else None
    return Twin(kind=EventTwin, rows=rows, next_path=following)


async def _read_event(call: Call) -> Mapping[str, Any]:
    event_id = call.path["id"]
    found = await finding.read_event(call.read(), event_id)
    if found is None:
        raise NotFound(
            f"There is no event {event_id}: it is not stored yet, or belongs to another server."
        )
    return {"event": EventDetail.of(found), "now": from_micros(call.received)}


PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    nav=(NavItem(path=BASE, text="Events", icon="radio-tower", aside=True, hotkey="g e"),),
    lists=(
        ListPage(path=BASE, scope=_SEE, template="events/events", read=_read_feed, twin=_read_twin),
    ),
    pages=(
        Page(
            path=f"{BASE}/event/{{occurred}}/{{id:uuid}}",
            scope=_SEE,
            template="events/event.html",
            read=_read_event,
            section=BASE,
        ),
    ),
)
