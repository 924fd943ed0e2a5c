"""What a stream reads before it goes live: stored events, and those that are about to be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import msgspec

from armillary.db.database import Database
from armillary.events.envelope import TOPIC
from armillary.events.outbox import Outbox
from armillary_plugins.events.matching import Test, subject_of
from armillary_plugins.events.repository.finding import Place, Stored, events_after
from armillary_plugins.events.schemas import EventFilter
from armillary_plugins.events.window import Window

_PERSISTER = "event_persister"
_READ = 500
PAGE = 250


class Waiting(msgspec.Struct, frozen=True, order=True):
    """An event that is committed and perhaps not stored yet."""

    occurred: int
    id: str
    body: str


async def waiting_events(database: Database, workspace: int, test: Test) -> list[Waiting]:
    """List what the store may not have yet, oldest first.

    What is behind the persister's stored place is in the store; the rest is still in the outbox,
    or was stored while this was read.  So whoever reads this first and then the store misses
    nothing.
    """
    outbox = Outbox(database)
    place = await outbox.position(_PERSISTER)
    found: list[Waiting] = []
    while True:
        messages, _ = await outbox.after(place, limit=_READ, topic=TOPIC)
        found.extend(
            Waiting(subject.micros, subject.id, message.body)
            for message in messages
            if message.workspace == workspace and test(subject := subject_of(message.body))
        )
        if len(messages) < _READ:
            return sorted(found)
        place = messages[-1].place


async def stored_pages(  # noqa: PLR0913 - whose, which, from where, and how many at once
    database: Database,
    workspace: int,
    events: EventFilter,
    *,
    window: Window,
    place: Place | None,
    reading: AbstractAsyncContextManager[object],
) -> AsyncIterator[list[Stored]]:
    """Go through stored events behind a place, oldest first, holding one page of them.

    Each page is read inside ``reading``, which bounds how many are read at once.
    """
    reader = database.read(workspace)
    while True:
        async with reading:
            page = await events_after(reader, events, window, place=place, limit=PAGE)
        if page:
            yield page
            place = page[-1].place
        if len(page) < PAGE:
            return
