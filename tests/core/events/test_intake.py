"""Events that come in: limits, repeats, sizes, and durable before they are acknowledged."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.errors import Invalid, Unavailable
from armillary.events.intake import Intake, Recent
from armillary.events.schemas import InEvent, event_from_text
from armillary.task_runs.reports import Report
from armillary.testing import ManualClock
from tests.core.task_runs.clients import OTHER, WORKSPACE, task_event, task_row, uuid


def document(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": uuid(number),
        "occurred": "2026-01-01T11:00:00+01:00",
        "event": "coffee.brewed",
        "resource": {"prefect.resource.id": "kitchen.1", "size": "large"},
        "payload": {"beans": 123456789012345678901234567890},
        **changes,
    }


def event(number: int = 1, **changes: Any) -> InEvent:
    return event_from_text(msgspec.json.encode(document(number, **changes)))


async def outbox(core: Core) -> list[tuple[int, str, bytes]]:
    rows = await core.database.read(None).all(
        "select workspace, event_id, body from outbox where topic = 'events' order by id"
    )
    return [(row[0], row[1], row[2].encode()) for row in rows]


async def test_an_event_is_in_the_outbox_as_it_came_with_the_time_it_came(core: Core) -> None:
    await core.intake.accept(WORKSPACE, [event()])
    ((workspace, event_id, body),) = await outbox(core)
    assert (workspace, event_id) == (WORKSPACE, uuid(1))
    assert b'"beans":123456789012345678901234567890' in body
    assert msgspec.json.decode(body) == {
        **document(payload={"beans": pytest.approx(1.2345678901234568e29)}),
        "occurred": "2026-01-01T10:00:00Z",
        "received": "2026-01-01T12:00:00Z",
        "related": [],
        "follows": None,
    }


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"event": "x" * 1025}, ["body", 1, "event"]),
        ({"resource": {}}, ["body", 1, "resource"]),
        ({"resource": {"prefect.resource.id": ""}}, ["body", 1, "resource"]),
        (
            {"resource": {"prefect.resource.id": "a", **{f"l{n}": "" for n in range(500)}}},
            ["body", 1, "resource"],
        ),
        ({"related": [{"prefect.resource.id": "a"}]}, ["body", 1, "related", 0]),
        ({"related": [{"prefect.resource.role": "a"}]}, ["body", 1, "related", 0]),
        (
            {"related": [{"prefect.resource.id": "a", "prefect.resource.role": "b"}] * 101},
            ["body", 1, "related"],
        ),
        ({"payload": [1]}, ["body", 1, "payload"]),
    ],
)
async def test_over_a_limit_nothing_is_taken(
    core: Core, changes: dict[str, Any], loc: list[str | int]
) -> None:
    bad = msgspec.json.decode(msgspec.json.encode(document(2, **changes)), type=InEvent)
    with pytest.raises(Invalid) as refused:
        await core.intake.accept(WORKSPACE, [event(), bad])
    assert refused.value.problems[0]["loc"] == loc
    assert await outbox(core) == []


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", "{}", "[" * 100_000, '{"id": "x"}', '{"id": "' + uuid(1) + '"}']
)
async def test_a_frame_that_is_no_event_is_refused(core: Core, text: str) -> None:
    with pytest.raises(Invalid):
        await core.intake.feed(WORKSPACE).put(text)


async def test_null_members_are_their_defaults(core: Core) -> None:
    await core.intake.accept(WORKSPACE, [event(related=None, payload=None, follows=None)])
    ((_, _, body),) = await outbox(core)
    found = msgspec.json.decode(body)
    assert (found["related"], found["payload"], found["follows"]) == ([], {}, None)


async def test_an_event_that_is_too_large_is_dropped_with_a_warning(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    await core.intake.accept(WORKSPACE, [event(payload={"a": "x" * 1_500_000}), event(2)])
    assert [row[1] for row in await outbox(core)] == [uuid(2)]
    assert core.metrics.value("armillary_events_too_large") == 1
    assert [each for each in caplog.records if "was dropped" in each.message]


async def test_a_repeat_within_five_minutes_is_dropped(core: Core, clock: ManualClock) -> None:
    await core.intake.accept(WORKSPACE, [event()])
    await clock.advance(290)
    await core.intake.accept(WORKSPACE, [event()])
    assert len(await outbox(core)) == 1
    await core.intake.accept(OTHER, [event()])
    assert [row[0] for row in await outbox(core)] == [WORKSPACE, OTHER]


async def test_repeats_at_the_same_moment_are_one_event(core: Core) -> None:
    await asyncio.gather(*(core.intake.accept(WORKSPACE, [event()]) for _ in range(5)))
    known = {row[1] for row in await outbox(core)}
    assert known == {uuid(1)}


async def test_an_event_that_could_not_be_written_is_taken_when_it_comes_again(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = core.intake._take_in._recorder
    record = recorder.record

    async def failing(unit: Unit, reports: Sequence[Report]) -> None:  # noqa: ARG001
        message = "away"
        raise Unavailable(message)

    monkeypatch.setattr(recorder, "record", failing)
    with pytest.raises(Unavailable):
        await core.intake.accept(WORKSPACE, [event()])
    feed = core.intake.feed(WORKSPACE)
    await feed.put(msgspec.json.encode(document()).decode())
    with pytest.raises(Unavailable):
        await feed.drain()
    monkeypatch.setattr(recorder, "record", record)
    await core.intake.accept(WORKSPACE, [event()])
    assert len(await outbox(core)) == 1


async def test_a_socket_hears_of_every_event_that_could_not_be_written(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))

    async def away(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(core.intake._take_in, "execute", away)
    feed = core.intake.feed(WORKSPACE)
    for number in range(1, 4):
        await feed.put(msgspec.json.encode(document(number)).decode())
    with pytest.raises(Unavailable):
        await feed.drain()
    gc.collect()
    assert unheard == []
    await feed.drain()


async def test_what_a_socket_sent_is_durable_once_it_is_drained(core: Core) -> None:
    feed = core.intake.feed(WORKSPACE)
    for number in range(300):
        await feed.put(msgspec.json.encode(document(number)).decode())
    await feed.drain()
    assert len(await outbox(core)) == 300


async def test_task_run_and_event_are_written_together(core: Core) -> None:
    reported = task_event(10, "RUNNING", at=1, run=uuid(1), flow_run=None)
    await Intake(core).accept(WORKSPACE, [reported])
    assert await task_row(core, uuid(1)) is not None
    assert [row[1] for row in await outbox(core)] == [uuid(10)]


async def test_nul_is_replaced_and_what_only_looks_like_it_is_kept(core: Core) -> None:
    await core.intake.accept(WORKSPACE, [event(payload={"a": "x\x00y", "b": "\\u0000"})])
    ((_, _, body),) = await outbox(core)
    assert msgspec.json.decode(body)["payload"] == {"a": "x\ufffdy", "b": "\\u0000"}


async def test_text_that_is_no_utf8_is_refused(core: Core) -> None:
    broken = event()
    broken.payload = msgspec.Raw(b'{"a": "\xff"}')
    with pytest.raises(Invalid):
        await core.intake.accept(WORKSPACE, [broken])


def test_ids_are_remembered_for_a_time_and_never_too_many() -> None:
    recent = Recent(seconds=10, size=3)
    keys = [(1, str(event(number).id)) for number in range(20)]
    for key in keys:
        recent.add([key], 1.0)
    assert recent.has(keys[-1], 2.0)
    assert not recent.has(keys[0], 2.0)
    assert sum(recent.has(key, 2.0) for key in keys) <= 6
    assert recent.has(keys[-1], 11.0)
    assert not recent.has(keys[-1], 31.0)
