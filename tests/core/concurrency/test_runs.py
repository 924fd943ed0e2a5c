"""Runs hold slots of their deployment from the claim to the end, on the real database."""

import asyncio
from datetime import timedelta

import pytest

from armillary.concurrency import limits
from armillary.core import Core
from armillary.orchestration.states import StateDetails, StateType, propose
from armillary.orchestration.verdicts import Status
from armillary.testing import ManualClock
from tests.core.concurrency.deployed import (
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    UNKNOWN,
    Deployed,
    lease,
    name,
)


@pytest.fixture
async def deployed(core: Core) -> Deployed:
    made = Deployed(core)
    await made.create(1)
    return made


async def test_a_slot_is_held_from_the_claim_to_the_end(deployed: Deployed) -> None:
    run = await deployed.run()
    claimed = await deployed.put(run, PENDING)
    assert lease(claimed) is not None
    assert await deployed.used() == 1
    assert lease(await deployed.put(run, RUNNING)) == lease(claimed)
    assert await deployed.used() == 1
    assert lease(await deployed.put(run, COMPLETED)) == lease(claimed)
    assert await deployed.used() == 0


async def test_a_run_of_a_full_deployment_comes_back_in_half_a_minute(
    deployed: Deployed, clock: ManualClock
) -> None:
    first, second = await deployed.running(), await deployed.run()
    refused = await deployed.put(second, PENDING)
    assert refused.status is Status.REJECT
    assert refused.written
    assert name(refused) == "AwaitingConcurrencySlot"
    assert refused.state is not None
    assert refused.state.details.scheduled_time == clock.now() + timedelta(seconds=30)
    await deployed.put(first, COMPLETED)
    assert name(await deployed.put(second, PENDING)) == "Pending"
    assert await deployed.used() == 1


async def test_a_full_deployment_cancels_new_runs_if_it_says_so(core: Core) -> None:
    deployed = Deployed(core)
    await deployed.create(1, options='{"collision_strategy": "CANCEL_NEW"}')
    await deployed.running()
    refused = await deployed.put(await deployed.run(), PENDING)
    assert refused.state is not None
    assert refused.state.type is StateType.CANCELLED
    late = propose(StateType.SCHEDULED, name="Late")
    refused = await deployed.put(await deployed.run(), late, policy="late")
    assert refused.state is not None
    assert refused.state.type is StateType.CANCELLED
    assert await deployed.used() == 1


async def test_limits_of_zero_abort_and_inactive_ones_have_nothing_to_give(
    deployed: Deployed,
) -> None:
    run = await deployed.run()
    await deployed.change("update concurrency_limit set active = 0")
    assert name(await deployed.put(run, PENDING)) == "AwaitingConcurrencySlot"
    await deployed.change("update concurrency_limit set active = 1, slot_limit = 0")
    aborted = await deployed.put(run, PENDING)
    assert (aborted.status, aborted.written) == (Status.ABORT, False)
    assert await deployed.used() == 0


async def test_an_unknown_client_keeps_its_slot_without_renewing(
    deployed: Deployed, clock: ManualClock
) -> None:
    run = await deployed.running(client=UNKNOWN)
    await clock.advance(100_000)
    assert await deployed.reap() == 0
    assert await deployed.used() == 1
    await deployed.put(run, COMPLETED, client=UNKNOWN)
    assert await deployed.used() == 0


async def test_a_client_that_does_not_renew_although_it_could_loses_its_slot(
    deployed: Deployed, clock: ManualClock
) -> None:
    run = await deployed.running()
    await clock.advance(299)
    assert await deployed.reap() == 0
    await clock.advance(2)
    assert await deployed.reap() == 1
    assert await deployed.used() == 0
    other = await deployed.running()
    assert name(await deployed.put(run, COMPLETED)) == "Completed"
    assert await deployed.used() == 1
    await deployed.put(other, COMPLETED)
    assert await deployed.used() == 0


async def test_a_slot_that_was_lost_before_the_start_is_taken_again_while_one_is_free(
    deployed: Deployed, clock: ManualClock
) -> None:
    run = await deployed.run()
    claimed = await deployed.put(run, PENDING)
    await clock.advance(301)
    assert await deployed.reap() == 1
    started = await deployed.put(run, RUNNING)
    assert name(started) == "Running"
    assert lease(started) not in {None, lease(claimed)}
    assert await deployed.renew(lease(started))
    assert await deployed.used() == 1
    await deployed.put(run, COMPLETED)
    assert await deployed.used() == 0


async def test_a_run_whose_slot_went_to_another_is_cancelled(
    deployed: Deployed, clock: ManualClock
) -> None:
    run = await deployed.run()
    await deployed.put(run, PENDING)
    await clock.advance(301)
    await deployed.reap()
    other = await deployed.running()
    lost = await deployed.put(run, RUNNING)
    assert (lost.status, name(lost)) == (Status.REJECT, "Cancelled")
    assert await deployed.used() == 1
    await deployed.put(other, COMPLETED)
    assert await deployed.used() == 0


async def test_a_process_keeps_its_lease_through_pauses_and_retries(deployed: Deployed) -> None:
    run = await deployed.running(retries=5)
    first = lease(await deployed.put(run, RUNNING))
    pause = propose(StateType.PAUSED, details=StateDetails(pause_key="1"))
    for proposal, shown in ((pause, "Paused"), (RUNNING, "Running"), (FAILED, "AwaitingRetry")):
        decided = await deployed.put(run, proposal)
        assert (name(decided), lease(decided)) == (shown, first)
        assert await deployed.used() == 1
        assert await deployed.renew(first)
    await deployed.put(run, RUNNING)
    await deployed.put(run, COMPLETED)
    assert await deployed.used() == 0


async def test_a_suspended_run_gives_its_slot_back_and_takes_one_when_it_goes_on(
    deployed: Deployed, clock: ManualClock
) -> None:
    run = await deployed.running()
    until = clock.now() + timedelta(seconds=60)
    suspended = StateDetails(pause_key="1", pause_reschedule=True, pause_timeout=until)
    await deployed.put(run, propose(StateType.PAUSED, name="Suspended", details=suspended))
    assert await deployed.used() == 0
    resuming = StateDetails(scheduled_time=clock.now())
    await deployed.put(run, propose(StateType.SCHEDULED, name="Resuming", details=resuming))
    await deployed.put(run, PENDING)
    await deployed.put(run, RUNNING)
    assert await deployed.used() == 1
    await deployed.put(run, COMPLETED)
    assert await deployed.used() == 0


@pytest.mark.parametrize("ending", ["delete", "delete_all", "force"])
async def test_however_a_run_goes_its_slot_comes_back_once(deployed: Deployed, ending: str) -> None:
    run = await deployed.running()
    if ending == "delete":
        await deployed.delete(run)
    elif ending == "delete_all":
        await deployed.delete_all()
    else:
        await deployed.put(run, propose(StateType.CRASHED), policy="minimal")
        await deployed.delete(run)
    assert await deployed.used() == 0
    other = await deployed.running()
    assert await deployed.used() == 1
    await deployed.put(other, COMPLETED)
    assert await deployed.used() == 0


async def test_deleting_a_flow_gives_the_slots_of_runs_between_attempts_back(
    deployed: Deployed,
) -> None:
    run = await deployed.running(retries=1)
    assert name(await deployed.put(run, FAILED)) == "AwaitingRetry"
    assert await deployed.used() == 1
    await deployed.delete_all()
    assert await deployed.used() == 0


async def test_a_limit_that_was_taken_from_the_deployment_gets_its_slot_back(
    deployed: Deployed,
) -> None:
    run = await deployed.running()
    await deployed.change("update deployment set concurrency_limit_id = null")
    await deployed.put(run, COMPLETED)
    assert await deployed.used() == 0


async def test_a_run_that_began_without_a_slot_gives_none_back(core: Core) -> None:
    deployed = Deployed(core)
    await deployed.create(None)
    early = await deployed.running()
    limited = Deployed(core, workspace=1)
    limited.limit_id = await core.database.write(
        lambda unit: limits.set_deployment_limit(unit, core.ids, deployed.id, 2), workspace=1
    )
    await deployed.change("update deployment set concurrency_limit_id = ?", limited.limit_id)
    late = await limited.running()
    assert await limited.used() == 1
    await deployed.put(early, COMPLETED)
    assert await limited.used() == 1
    await deployed.put(late, COMPLETED)
    assert await limited.used() == 0


async def test_of_many_claims_as_many_succeed_as_there_are_slots(core: Core) -> None:
    deployed = Deployed(core)
    await deployed.create(3)
    runs = [await deployed.run() for _ in range(12)]
    claims = await asyncio.gather(*(deployed.put(run, PENDING) for run in runs))
    assert sorted(map(name, claims)) == ["AwaitingConcurrencySlot"] * 9 + ["Pending"] * 3
    assert await deployed.used() == 3
    await asyncio.gather(*(deployed.put(run, COMPLETED) for run in runs))
    assert await deployed.used() == 0


async def test_equal_limits_of_two_workspaces_do_not_mix(core: Core) -> None:
    one, two = Deployed(core), Deployed(core, workspace=2)
    await one.create(1)
    await two.create(1)
    await one.running()
    assert (await one.used(), await two.used()) == (1, 0)
    run = await two.running()
    assert (await one.used(), await two.used()) == (1, 1)
    await two.put(run, COMPLETED)
    assert (await one.used(), await two.used()) == (1, 0)


async def test_runs_without_a_limit_do_not_leave_the_shared_path(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = Deployed(core)
    await deployed.create(None)
    run = await deployed.run()

    def alone(*_: object, **__: object) -> None:
        raise AssertionError("this run went through a unit of its own")

    monkeypatch.setattr(core.gate, "set_flow_run_state_in", alone)
    for proposal in (PENDING, RUNNING, COMPLETED):
        assert (await deployed.put(run, proposal)).status is Status.ACCEPT


async def test_what_is_held_outlives_the_server(deployed: Deployed, clock: ManualClock) -> None:
    run = await deployed.running()
    core = Core.create(deployed.core.settings, clock=clock)
    await core.open()
    started_again = Deployed(core)
    started_again.limit_id = deployed.limit_id
    assert await started_again.used() == 1
    assert name(await started_again.put(await deployed.run(), PENDING)) != "Pending"
    await started_again.put(run, COMPLETED)
    assert await started_again.used() == 0
    await core.close()
