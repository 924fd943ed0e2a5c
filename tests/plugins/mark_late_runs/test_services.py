"""Runs that should have started are late; others are not."""

from armillary.core import Core
from armillary.services.loop import Done
from armillary.testing import ManualClock
from armillary_plugins.mark_late_runs.config import Config
from armillary_plugins.mark_late_runs.services import MarkLateRuns
from tests.api import Api, names_of_events

AT = {"scheduled_time": "2026-01-01T12:00:00Z"}


async def test_a_run_is_late_fifteen_seconds_after_its_time(
    core: Core, api: Api, clock: ManualClock
) -> None:
    service = MarkLateRuns(core, Config())
    run = await api.run((await api.deployment())["id"])
    before = len(await names_of_events(core))
    await clock.advance(14.9)
    assert await service.turn() == Done(found=0, changed=0)
    await clock.advance(0.1)
    assert await service.turn() == Done(found=1, changed=1)
    assert await service.turn() == Done(found=0, changed=0)
    found = await api.get(f"/flow_runs/{run['id']}")
    assert (found["state"]["type"], found["state"]["name"]) == ("SCHEDULED", "Late")
    assert found["state"]["state_details"]["scheduled_time"] == AT["scheduled_time"]
    assert found["next_scheduled_start_time"] == run["next_scheduled_start_time"]
    assert found["expected_start_time"] == run["expected_start_time"]
    assert found["run_count"] == 0
    assert await names_of_events(core, since=before) == ["flow-run.Late"]


async def test_only_what_is_named_scheduled_can_be_late(
    core: Core, api: Api, clock: ManualClock
) -> None:
    made = await api.deployment()
    for name in ("AwaitingRetry", "Resuming", "AwaitingConcurrencySlot", "Late", "Mine"):
        run = await api.run(made["id"])
        await api.set_state(run["id"], "SCHEDULED", name=name, state_details=AT)
    for kind in ("PENDING", "RUNNING", "COMPLETED"):
        await api.set_state((await api.run(made["id"]))["id"], kind)
    await clock.advance(3600)
    assert await MarkLateRuns(core, Config()).turn() == Done(found=0, changed=0)


async def test_a_turn_takes_one_batch_the_oldest_first(
    core: Core, api: Api, clock: ManualClock
) -> None:
    made = await api.deployment()
    service = MarkLateRuns(core, Config(batch=2))
    for second in (3, 1, 2):
        at = {"scheduled_time": f"2026-01-01T12:00:0{second}Z"}
        state = {"type": "SCHEDULED", "state_details": at}
        await api.run(made["id"], name=f"{second}", state=state)
    await clock.advance(60)
    assert await service.turn() == Done(found=2, changed=2)
    assert [run["state_name"] for run in await api.runs()] == ["Late", "Late", "Scheduled"]
    assert await service.turn() == Done(found=1, changed=1)
