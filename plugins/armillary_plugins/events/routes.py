"""Routes that take events and find them."""

from __future__ import annotations

import msgspec

from armillary.api import Answer, Call, Routes, page_limit
from armillary.clock import to_micros
from armillary.errors import Invalid, Refused
from armillary.events.schemas import InEvent
from armillary.workspaces import DEFAULT
from armillary_plugins.events import tokens
from armillary_plugins.events.repository import counting, finding
from armillary_plugins.events.schemas import (
    CountEvents,
    EventCount,
    EventPage,
    FilterEvents,
    NextPage,
    TimeUnit,
)
from armillary_plugins.events.spans import spans_of
from armillary_plugins.events.tokens import PageToken
from armillary_plugins.events.window import Window, window_of

routes = Routes(tag="Events")


@routes.post("/events", scope="manage_events", hot=True, answers={204: None}, nul=True)
async def create_events(call: Call, body: list[InEvent]) -> Answer:
    """Take events in; the answer comes once they are durable."""
    await call.core.intake.accept(call.workspace, body)
    return Answer.empty()


@routes.post("/events/filter", scope="see_events", answers={200: EventPage})
async def filter_events(call: Call, body: FilterEvents) -> Answer:
    """List the first events that a filter lets through, and how many there are in all."""
    limit = page_limit(body.limit)
    window = window_of(body.filter, call.core.clock.now())
    total = await finding.count_events(call.read(), body.filter, window)
    return await _page(call, PageToken(body.filter, window.since, window.until, total, limit, 0))


@routes.get("/events/filter/next", scope="see_events", answers={200: EventPage})
async def read_next_page(call: Call, *, query: NextPage) -> Answer:
    """List the events of the next page, as the page before it named it."""
    token = tokens.read(query.page_token)
    if token is None:
        raise Refused(
            403, "This page-token is none of ours: take the next_page of a page as it was given."
        )
    page_limit(token.page_size)
    return await _page(call, token)


@routes.post(
    "/events/count-by/{countable}", scope="see_events", shared=True, answers={200: list[EventCount]}
)
async def count_events(call: Call, body: CountEvents) -> Answer:
    """Count events by day, time, event or resource."""
    reader, now = call.read(), call.core.clock.now()
    window = window_of(body.filter, now)
    countable = call.path["countable"]
    if countable == "event":
        return Answer.json(await counting.count_by_name(reader, body.filter, window))
    if countable == "resource":
        return Answer.json(await counting.count_by_resource(reader, body.filter, window))
    if countable not in {"day", "time"}:
        message = f"Events are counted by day, time, event or resource, not by {countable!r}."
        raise Invalid(message, loc=("path", "countable"), kind="enum")
    unit: TimeUnit = "day" if countable == "day" else body.time_unit
    interval = 1.0 if countable == "day" else body.time_interval
    spans = spans_of(window, unit, interval, now=to_micros(now))
    return Answer.json(await counting.count_by_time(reader, body.filter, window, spans=spans))


async def _page(call: Call, token: PageToken) -> Answer:
    bodies = await finding.filter_events(
        call.read(),
        token.filter,
        Window(token.since, token.until),
        limit=token.page_size,
        offset=token.offset,
    )
    following = token.next
    return Answer.json(
        EventPage(
            events=[msgspec.Raw(body.encode()) for body in bodies],
            total=token.count,
            next_page=None if following is None else _address(call, following),
        )
    )


def _address(call: Call, token: PageToken) -> str:
    """Write where a page is as the client must ask for it, who takes it as it is."""
    scheme = call.headers.get("x-forwarded-proto", "http")
    host = call.headers.get("x-forwarded-host") or call.headers.get("host", "localhost")
    place = ""
    if (call.account_id, call.workspace_id) != (DEFAULT.account_id, DEFAULT.id):
        place = f"/accounts/{call.account_id}/workspaces/{call.workspace_id}"
    base = call.core.settings.server.base_path.rstrip("/")
    token_text = tokens.written(token)
    return f"{scheme}://{host}{base}/api{place}/events/filter/next?page-token={token_text}"
