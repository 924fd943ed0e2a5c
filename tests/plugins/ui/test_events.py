"""The feed of events in the browser: its range and its filters, and the page of one event."""

from datetime import timedelta

import msgspec

from armillary.core import Core
from tests.plugins.events.samples import event, store
from tests.plugins.ui.pages import Pages, link, live_path, part

RUN = "prefect.flow-run.0199b1c2-7d3e-7a41-9c55-2f6b8d0e4a17"


async def test_the_feed_is_cut_by_time_and_neither_repeats_nor_loses_events(
    core: Core, pages: Pages
) -> None:
    assert "No event in this range" in part(await pages.open("/events"), "events")
    now = core.clock.now()
    made = [
        event(number, occurred=now - timedelta(minutes=number // 2)) for number in range(1, 106)
    ]
    await store(core, *made)
    first = await pages.open("/events?range=1h")
    assert live_path(first, "events") == "/ui/fragments/events?range=1h"
    rows = [one.attributes["id"] for one in first.all("tr") if "data-row" in one.attributes]
    assert len(rows) == 50
    older = link(first, "Older")
    assert older is not None
    second = await pages.open(older)
    assert live_path(second, "events") is None
    rows += [one.attributes["id"] for one in second.all("tr") if "data-row" in one.attributes]
    assert len(set(rows)) == 100
    newer = link(second, "Newer")
    assert newer is not None
    back = await pages.open(newer)
    assert [one.attributes["id"] for one in back.all("tr") if "data-row" in one.attributes] == (
        rows[:50]
    )
    found, path = [], "/events.json?range=1h&limit=40"
    while path:
        answer = (await pages.ask(path)).json()
        found += [row["id"] for row in answer["rows"]]
        path = answer["next"]
    assert sorted(found) == sorted(str(one.id) for one in made)


async def test_events_are_found_by_how_they_begin_by_resource_and_range(
    core: Core, pages: Pages
) -> None:
    now = core.clock.now()
    await store(
        core,
        event(1, "prefect.flow-run.Running", occurred=now, resource={"prefect.resource.id": RUN}),
        event(2, "it.happened", occurred=now - timedelta(days=3)),
        event(
            3, "other", occurred=now,
            related=[{"prefect.resource.id": RUN, "prefect.resource.role": "flow-run"}],
        ),
    )  # fmt: skip

    async def named(query: str) -> list[str]:
        rows = (await pages.ask(f"/events.json?{query}")).json()["rows"]
        return sorted(row["event"] for row in rows)

    assert await named("") == ["other", "prefect.flow-run.Running"]
    assert await named("range=7d") == ["it.happened", "other", "prefect.flow-run.Running"]
    assert await named("range=nonsense&event=prefect.") == ["prefect.flow-run.Running"]
    assert await named(f"resource={RUN}") == ["other", "prefect.flow-run.Running"]
    assert await named("event=%00&before=x.y") == ["other", "prefect.flow-run.Running"]
    assert "No event matches" in part(await pages.open("/events?event=x"), "events")


async def test_the_link_to_an_event_shows_all_of_it(core: Core, pages: Pages) -> None:
    resource = {"prefect.resource.id": RUN, "prefect.resource.name": "<falcon>", "region": "eu"}
    related = [{"prefect.resource.id": "shop.1", "prefect.resource.role": "shop"}]
    made = event(1, resource=resource, related=related, payload={"orders": 3})
    await store(core, made)
    page = await pages.open(f"/events/event/2026-01-01/{made.id}")
    run = f"/runs/flow-run/{RUN.rpartition('.')[2]}"
    assert link(page, "<falcon>") == run
    assert "regioneu" in part(page, "resource")
    assert "shop.1" in part(page, "related")
    assert '"orders": 3' in part(page, "payload")
    assert link(page, "More of its resource") == f"/events?resource={RUN}"
    await pages.ask(f"/events/event/2026-01-01/{RUN.rpartition('.')[2]}", status=404)


async def test_a_payload_may_have_any_number(core: Core, pages: Pages) -> None:
    made = event(1, payload=msgspec.Raw(b'{"large": 1e999, "exact": 1180591620717411303424}'))
    await store(core, made)
    assert made.event in part(await pages.open("/events?range=30d"), "events")
    page = await pages.open(f"/events/event/2026-01-01/{made.id}")
    assert '"exact": 1180591620717411303424' in part(page, "payload")
