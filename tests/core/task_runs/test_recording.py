"""Task runs made of events: the rules of the recorder, one by one, and in any order."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armillary.clock import to_micros
from armillary.core import Core
from armillary.events.intake import Intake
from armillary.events.schemas import InEvent
from armillary.task_runs import recording
from tests.core.task_runs.clients import (
    OTHER,
    WORKSPACE,
    a_flow_run,
    history,
    life,
    moment,
    shuffled,
    task_event,
    task_row,
    uuid,
)

RUN = uuid(1)


async def accept(core: Core, *events: InEvent, workspace: int = WORKSPACE) -> None:
    await core.intake.accept(workspace, events)


async def stored(core: Core, run_id: str = RUN) -> dict[str, Any]:
    row = await task_row(core, run_id)
    assert row is not None
    return row


async def test_an_event_makes_a_task_run_with_what_its_payload_has(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await accept(core, *life(RUN, flow_run))
    row = await stored(core)
    assert row["flow_run_id"] == flow_run
    assert (row["state_id"], row["state_type"], row["state_name"]) == (
        uuid(104), "COMPLETED", "Completed",
    )  # fmt: skip
    assert row["state_timestamp"] == to_micros(moment(5))
    assert row["run_count"] == 2
    assert row["total_run_time"] == 2.5
    assert row["start_time"] == to_micros(moment(2))
    assert row["end_time"] == to_micros(moment(6))
    assert row["expected_start_time"] == to_micros(moment(0))
    assert msgspec.json.decode(row["empirical_policy"])["retries"] == 2
    assert msgspec.json.decode(row["tags"]) == ["loud"]
    assert msgspec.json.decode(row["labels"]) == {"prefect.flow.id": uuid(1)}
    assert [name for _, name in await history(core, RUN)] == [
        "Pending", "Running", "Scheduled", "Running", "Completed",
    ]  # fmt: skip


async def test_without_expected_start_in_the_payload_there_is_none(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await accept(core, task_event(10, "RUNNING", at=1, run=RUN, flow_run=flow_run))
    assert (await stored(core))["expected_start_time"] is None


async def test_a_late_pending_only_adds_to_the_history(core: Core) -> None:
    flow_run = await a_flow_run(core)
    running = task_event(11, "RUNNING", at=2, run=RUN, flow_run=flow_run, task_run={"run_count": 1})
    await accept(core, running)
    before = await stored(core)
    await accept(core, task_event(10, "PENDING", at=1, run=RUN, flow_run=flow_run))
    assert await stored(core) == before
    assert await history(core, RUN) == [(uuid(10), "Pending"), (uuid(11), "Running")]


async def test_an_event_of_the_same_moment_does_not_move_the_head(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await accept(core, task_event(10, "RUNNING", at=1, run=RUN, flow_run=flow_run))
    await accept(core, task_event(11, "COMPLETED", at=1, run=RUN, flow_run=flow_run))
    assert (await stored(core))["state_name"] == "Running"
    assert len(await history(core, RUN)) == 2


async def test_the_same_event_twice_is_one_state(core: Core) -> None:
    flow_run = await a_flow_run(core)
    event = task_event(10, "RUNNING", at=1, run=RUN, flow_run=flow_run)
    await accept(core, event, event)
    await accept(core, event)
    before = await stored(core)
    await Intake(core).accept(WORKSPACE, [event])
    assert await stored(core) == before
    assert await history(core, RUN) == [(uuid(10), "Running")]


async def test_a_terminal_event_that_comes_first_makes_the_run_terminal(core: Core) -> None:
    flow_run = await a_flow_run(core)
    *earlier, last = life(RUN, flow_run)
    await accept(core, last)
    row = await stored(core)
    assert (row["state_type"], row["run_count"], row["total_run_time"]) == ("COMPLETED", 2, 2.5)
    await accept(core, *earlier)
    assert await stored(core) == row
    assert len(await history(core, RUN)) == 5


async def test_what_a_later_event_leaves_out_stays(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await accept(
        core,
        task_event(
            10, "RUNNING", at=1, run=RUN, flow_run=flow_run, task_run={"start_time": moment(1)}
        ),
    )
    await accept(core, task_event(11, "COMPLETED", at=2, run=RUN, flow_run=flow_run))
    assert (await stored(core))["start_time"] == to_micros(moment(1))


@pytest.mark.parametrize("together", [True, False])
async def test_two_ids_with_one_natural_key_are_one_run(core: Core, together: bool) -> None:  # noqa: FBT001
    flow_run = await a_flow_run(core)
    first = task_event(10, "RUNNING", at=1, run=RUN, flow_run=flow_run)
    second = task_event(11, "COMPLETED", at=2, run=uuid(2), flow_run=flow_run)
    if together:
        await accept(core, first, second)
    else:
        await accept(core, first)
        await accept(core, second)
    assert (await stored(core))["state_name"] == "Completed"
    assert await task_row(core, uuid(2)) is None
    assert await history(core, RUN) == [(uuid(10), "Running"), (uuid(11), "Completed")]


async def test_a_state_knows_the_run_it_is_attached_to(core: Core) -> None:
    flow_run = await a_flow_run(core)
    await accept(core, task_event(10, "RUNNING", at=1, run=RUN, flow_run=flow_run))
    await accept(core, task_event(11, "COMPLETED", at=2, run=uuid(2), flow_run=flow_run))
    details = await core.database.read(None).all("select details from task_run_state")
    for (text,) in details:
        found = msgspec.json.decode(text)
        assert (found["task_run_id"], found["flow_run_id"]) == (RUN, flow_run)


async def test_a_task_run_without_a_flow_run_is_recorded(core: Core) -> None:
    await accept(core, *life(RUN, None))
    row = await stored(core)
    assert (row["flow_run_id"], row["state_name"]) == (None, "Completed")


async def test_events_of_a_deleted_flow_run_are_dropped_quietly(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    await accept(core, *life(RUN, uuid(77)))
    assert await task_row(core, RUN) is None
    assert await history(core, RUN) == []
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]
    dropped = core.metrics.value("armillary_task_run_events_dropped", reason="flow run missing")
    assert dropped == 5


async def test_only_what_its_client_orchestrated_is_recorded(core: Core) -> None:
    flow_run = await a_flow_run(core)
    event = task_event(10, "RUNNING", at=1, run=RUN, flow_run=flow_run, label="server")
    await accept(core, event)
    assert await task_row(core, RUN) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"validated_state": None},
        {"task_run": None},
        {"task_run": {"task_key": "a"}},
        {"task_run": {"task_key": "a" * 2000, "dynamic_key": "0"}},
        {"task_run": {"task_key": "a", "dynamic_key": "0", "run_count": 2**70}},
        {"validated_state": {"type": "SLEEPING"}},
    ],
)
async def test_a_malformed_event_is_dropped_with_one_line(
    core: Core, caplog: pytest.LogCaptureFixture, broken: dict[str, Any]
) -> None:
    flow_run = await a_flow_run(core)
    event = task_event(10, "RUNNING", at=1, run=RUN, flow_run=flow_run)
    payload = {**msgspec.json.decode(event.payload), **broken}
    event.payload = msgspec.Raw(msgspec.json.encode(payload))
    good = task_event(
        11, "RUNNING", at=1, run=uuid(2), flow_run=flow_run, task_run={"dynamic_key": "1"}
    )
    await accept(core, event, good)
    assert await task_row(core, RUN) is None
    assert await task_row(core, uuid(2)) is not None
    lines = [each for each in caplog.records if each.name == "armillary.task_runs"]
    assert len(lines) == 1


@pytest.mark.parametrize("data", [{"type": "x", "size": 2**70}, [1], "text", 0, False])
async def test_a_states_data_is_kept_as_it_is(core: Core, data: Any) -> None:
    event = task_event(10, "COMPLETED", at=1, run=RUN, flow_run=None)
    encoded = json.dumps(data).encode()
    payload = bytes(event.payload).replace(b'"data":null', b'"data":' + encoded)
    event.payload = msgspec.Raw(payload)
    await accept(core, event)
    found = await core.database.read(None).one("select data from task_run_state")
    assert found is not None
    assert found[0] == encoded.decode()


async def test_nul_in_a_message_is_replaced(core: Core) -> None:
    flow_run = await a_flow_run(core)
    state = {"message": "a\x00b \\u0000"}
    await accept(core, task_event(10, "FAILED", at=1, run=RUN, flow_run=flow_run, state=state))
    message = await core.database.read(None).one(
        "select message from task_run_state where id = ?", uuid(10)
    )
    assert message is not None
    assert message[0] == "a\ufffdb \\u0000"


async def test_equal_natural_keys_of_two_workspaces_never_touch(core: Core) -> None:
    ours = await a_flow_run(core, number=1)
    theirs = await a_flow_run(core, workspace=OTHER, number=2)
    await accept(core, *life(RUN, ours))
    await accept(core, *life(uuid(2), theirs, first=200), workspace=OTHER)
    before = await stored(core)

    late: dict[str, Any] = {"at": 60.0, "task_run": {"name": "taken over"}}
    await accept(core, task_event(300, "FAILED", run=RUN, flow_run=ours, **late), workspace=OTHER)
    await accept(
        core, task_event(301, "FAILED", run=RUN, flow_run=theirs,
                         at=61, task_run={"dynamic_key": "9"}), workspace=OTHER
    )  # fmt: skip
    await accept(core, task_event(302, "FAILED", run=RUN, flow_run=None, **late), workspace=OTHER)
    assert await stored(core) == before
    assert len(await history(core, RUN)) == 5
    assert (await stored(core, uuid(2)))["workspace"] == OTHER


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_with_repeats_ends_like_the_true_order(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from armillary.testing import ManualClock  # noqa: PLC0415

    events = [*life(RUN, None), task_event(300, "PENDING", at=0.5, run=uuid(3), flow_run=None)]
    picks = data.draw(
        st.lists(st.sampled_from(range(len(events))), max_size=6).flatmap(
            lambda more: st.permutations([*range(len(events)), *more])
        )
    )
    cuts = data.draw(st.lists(st.integers(1, 4), min_size=len(picks), max_size=len(picks)))
    folder = tmp_path_factory.mktemp("order")

    async def both() -> tuple[Any, Any]:
        found = []
        for place, order in enumerate((range(len(events)), picks)):
            core = made_core(f"sqlite:///{folder / str(place)}.db", ManualClock())
            await core.open()
            left = [events[number] for number in order]
            while left:
                size = cuts[len(left) % len(cuts)]
                await Intake(core).accept(WORKSPACE, left[:size])
                left = left[size:]
            others = await task_row(core, uuid(3))
            found.append((await stored(core), await history(core, RUN), others))
            await core.close()
        return found[0], found[1]

    in_order, mixed = asyncio.run(both())
    assert mixed == in_order


def made_core(url: str, clock: Any) -> Core:
    from armillary.discovery import discover  # noqa: PLC0415
    from armillary.settings import load  # noqa: PLC0415

    found = discover()
    chosen = load(found, environ={}, flags={"database.url": url})
    return Core.create(chosen, found=found, clock=clock, chance=random.Random(1))  # noqa: S311


async def test_thousands_of_events_in_random_order_end_in_the_right_states(core: Core) -> None:
    flow_run = await a_flow_run(core)
    runs = 300
    events = []
    for number in range(runs):
        for event in life(uuid(10_000 + number), flow_run, first=20_000 + 10 * number):
            payload = msgspec.json.decode(event.payload)
            payload["task_run"]["dynamic_key"] = str(number)
            event.payload = msgspec.Raw(msgspec.json.encode(payload))
            events.append(event)
    chance = random.Random(7)  # noqa: S311
    mixed = shuffled(chance, events + chance.sample(events, 200))
    await asyncio.gather(*(core.intake.accept(WORKSPACE, mixed[start::8]) for start in range(8)))
    rows = await core.database.read(None).all(
        "select state_name, run_count, count(*) from task_run group by state_name, run_count"
    )
    assert [tuple(row) for row in rows] == [("Completed", 2, runs)]
    states = await core.database.read(None).one("select count(*) from task_run_state")
    assert states is not None
    assert states[0] == 5 * runs


async def test_two_processes_reporting_one_run_at_the_same_time_make_one_run(core: Core) -> None:
    flow_run = await a_flow_run(core)
    keys = 40
    parts = []
    for process in range(4):
        events = [
            task_event(
                1000 * process + key,
                "RUNNING",
                at=process,
                run=uuid(100_000 * (process + 1) + key),
                flow_run=flow_run,
                task_run={"dynamic_key": str(key), "run_count": process},
            )
            for key in range(keys)
        ]
        parts.append(events if process % 2 else events[::-1])
    await asyncio.gather(*(core.intake.accept(WORKSPACE, part) for part in parts))
    rows = await core.database.read(None).all("select id, run_count from task_run")
    assert len({row[0] for row in rows}) == keys
    assert {row[1] for row in rows} == {3}
    attached = await core.database.read(None).all(
        "select count(*) from task_run_state s join task_run r on r.id = s.task_run_id "
        "group by r.id"
    )
    assert [tuple(row) for row in attached] == [(4,)] * keys


@pytest.mark.parametrize("run", [RUN, uuid(2)])
async def test_a_run_that_somebody_created_meanwhile_is_found_in_the_end(
    core: Core, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    flow_run = await a_flow_run(core)
    await accept(core, task_event(10, "PENDING", at=1, run=RUN, flow_run=flow_run))
    look = recording._loaded
    looks = []

    async def too_early(unit: Any, reports: Any) -> Any:
        found = await look(unit, reports)
        looks.append(found)
        if len(looks) == 1:
            found.by_natural.clear()
            found.by_id.clear()
            found.flow_runs[flow_run] = WORKSPACE
        return found

    monkeypatch.setattr(recording, "_loaded", too_early)
    await accept(core, task_event(11, "RUNNING", at=2, run=run, flow_run=flow_run))
    assert len(looks) == 2
    assert (await stored(core))["state_name"] == "Running"
    assert await history(core, RUN) == [(uuid(10), "Pending"), (uuid(11), "Running")]
