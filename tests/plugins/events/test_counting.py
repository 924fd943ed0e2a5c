"""Counting events by time, name and resource."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from armillary.clock import to_micros
from armillary.core import Core
from armillary.errors import Refused
from armillary.testing import ManualClock
from armillary_plugins.events.schemas import TimeUnit
from armillary_plugins.events.spans import spans_of
from armillary_plugins.events.window import Window
from tests.plugins.events.samples import START, event, store


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"targets": ("events",)}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START + timedelta(hours=2))


def window(since: datetime, until: datetime) -> Window:
    return Window(to_micros(since), to_micros(until))


@pytest.mark.parametrize(
    ("unit", "interval", "number", "start"),
    [
        ("hour", 1.0, 3, START),
        ("hour", 0.5, 5, START),
        ("day", 1.0, 1, START.replace(hour=0)),
        ("week", 1.0, 1, datetime(2025, 12, 29, tzinfo=UTC)),
    ],
)
def test_spans_are_laid_on_from_a_monday(
    unit: TimeUnit, interval: float, number: int, start: datetime
) -> None:
    until = START + timedelta(hours=2, minutes=1)
    spans = spans_of(window(START, until), unit, interval, now=to_micros(START) + 10**12)
    assert (spans.start, spans.number) == (to_micros(start), number)


def test_what_is_yet_to_come_ends_with_the_present_unit() -> None:
    now = START + timedelta(minutes=90)
    spans = spans_of(window(START, START + timedelta(days=9)), "hour", 1.0, now=to_micros(now))
    assert spans.number == 2
    assert spans.bounds(1)[1] == to_micros(START + timedelta(hours=2)) - 1


def test_too_many_spans_are_refused() -> None:
    with pytest.raises(Refused, match="1001 spans"):
        spans_of(window(START, START + timedelta(seconds=1001)), "second", 1.0, now=0)


async def counted(client: httpx.AsyncClient, countable: str, **more: Any) -> list[dict]:
    occurred = {"since": START.isoformat(), "until": (START + timedelta(hours=1)).isoformat()}
    body = {"filter": {"occurred": occurred}, **more}
    answer = await client.post(f"/api/events/count-by/{countable}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_empty_spans_are_counted_too(client: httpx.AsyncClient, core: Core) -> None:
    await store(core, event(0), event(1), event(130))
    await store(core, event(2), workspace=2)
    minutes = await counted(client, "time", time_unit="minute")
    assert [each["count"] for each in minutes] == [2, 0, 1] + [0] * 57
    assert minutes[1] == {
        "value": "1",
        "label": "2026-01-01T12:01:00+00:00",
        "count": 0,
        "start_time": "2026-01-01T12:01:00Z",
        "end_time": "2026-01-01T12:01:59.999999Z",
    }
    [day] = await counted(client, "day", time_unit="minute")
    assert day["count"] == 3


async def test_the_most_frequent_come_first(client: httpx.AsyncClient, core: Core) -> None:
    named = {"prefect.resource.id": "a", "prefect.resource.name": "old"}
    await store(
        core,
        event(1, "x", resource=named),
        event(2, "y", resource={**named, "prefect.resource.name": "new"}),
        event(3, "y", resource={"prefect.resource.id": "b"}),
    )
    names = await counted(client, "event")
    assert [(each["value"], each["label"], each["count"]) for each in names] == [
        ("y", "y", 2),
        ("x", "x", 1),
    ]
    assert names[0]["start_time"] == "2026-01-01T12:00:02Z"
    assert names[0]["end_time"] == "2026-01-01T12:00:03Z"
    resources = await counted(client, "resource")
    assert [(each["value"], each["label"], each["count"]) for each in resources] == [
        ("a", "new", 2),
        ("b", "b", 1),
    ]


@pytest.mark.parametrize(
    ("countable", "body"),
    [
        ("moon", {"filter": {}}),
        ("day", {}),
        ("time", {"filter": {}, "time_interval": 0.001}),
        ("time", {"filter": {}, "time_unit": "year"}),
        ("time", {"filter": {}, "time_unit": "hour"}),
    ],
)
async def test_what_cannot_be_counted_is_refused(
    client: httpx.AsyncClient, countable: str, body: object
) -> None:
    answer = await client.post(f"/api/events/count-by/{countable}", json=body)
    assert answer.status_code == 422
