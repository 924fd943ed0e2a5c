"""Storing events on both databases: each once, each in its workspace."""

import msgspec

from armillary.core import Core
from armillary_plugins.events.repository.finding import (
    count_events,
    events_after,
    filter_events,
)
from armillary_plugins.events.schemas import EventFilter
from armillary_plugins.events.window import Window
from tests.plugins.events.samples import body_of, event, store

ALL = Window(0, 2**53)
EVERYTHING = EventFilter(order="ASC")


async def test_what_was_stored_is_given_back_to_the_letter(core: Core) -> None:
    made = event(1, payload={"number": 2**70, "text": "é\n"}, follows=event(0).id)
    await store(core, made)
    bodies = await filter_events(core.database.read(1), EVERYTHING, ALL, limit=9, offset=0)
    assert bodies == [body_of(made)]


async def test_an_event_that_comes_again_is_stored_once(core: Core) -> None:
    assert await store(core, event(1), event(2), event(1)) == 2
    assert await store(core, event(2), event(3)) == 1
    assert await count_events(core.database.read(1), EVERYTHING, ALL) == 3
    rows = await core.database.read(None).value("select count(*) from event_resource")
    assert rows == 3


async def test_a_batch_larger_than_a_statement_is_stored_whole(core: Core) -> None:
    assert await store(core, *[event(n) for n in range(230)]) == 230
    assert await count_events(core.database.read(1), EVERYTHING, ALL) == 230


async def test_workspaces_do_not_see_each_others_events(core: Core) -> None:
    await store(core, event(1, "mine"))
    assert await store(core, event(1, "theirs"), workspace=2) == 1
    wanted = msgspec.convert({"any_resource": {"id": ["thing.1"]}}, EventFilter)
    for workspace, name in ((1, "mine"), (2, "theirs")):
        reader = core.database.read(workspace)
        assert await count_events(reader, wanted, ALL) == 1
        [body] = await filter_events(reader, wanted, ALL, limit=9, offset=0)
        assert msgspec.json.decode(body)["event"] == name
        [stored] = await events_after(reader, wanted, ALL, place=None, limit=9)
        assert stored.body == body


async def test_reading_on_behind_a_place_meets_every_event_once(core: Core) -> None:
    await store(core, *[event(n // 3, id=event(n).id) for n in range(10)])
    reader = core.database.read(1)
    seen, place = [], None
    while some := await events_after(reader, EVERYTHING, ALL, place=place, limit=4):
        seen += [stored.id for stored in some]
        place = some[-1].place
    assert seen == [event(n).id for n in range(10)]
