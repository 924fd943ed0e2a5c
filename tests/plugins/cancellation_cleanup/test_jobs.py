"""A run that is to be cancelled is Cancelled after a while, though nobody ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from armillary.core import Core
from armillary.jobs.worker import workers
from armillary.services.supervisor import Supervisor
from armillary.testing import ManualClock
from tests.api import Api


@asynccontextmanager
async def working(core: Core) -> AsyncIterator[None]:
    supervisor = Supervisor([w for w in workers(core) if w.name == "cancellation_cleanup.jobs"])
    await core.broker.start()
    await supervisor.start()
    yield
    await supervisor.stop()


async def a_cancelling_run(api: Api) -> str:
    made = await api.deployment()
    run = await api.run(made["id"])
    await api.set_state(run["id"], "RUNNING")
    await api.set_state(run["id"], "CANCELLING", force=False)
    return str(run["id"])


async def pass_time(clock: ManualClock, seconds: float) -> None:
    """Let time pass, and what is asked of the database be answered on the way."""
    for _ in range(int(seconds)):
        await clock.advance(1)
        await asyncio.sleep(0.002 if clock.sleepers else 0)


async def test_a_run_does_not_stay_cancelling_for_ever(
    core: Core, api: Api, clock: ManualClock
) -> None:
    run = await a_cancelling_run(api)
    async with working(core):
        await pass_time(clock, 298)
        assert (await api.get(f"/flow_runs/{run}"))["state_type"] == "CANCELLING"
        await pass_time(clock, 8)
    found = await api.get(f"/flow_runs/{run}")
    assert found["state_type"] == "CANCELLED"
    assert "in time" in found["state"]["message"]
    assert found["end_time"] is not None


@pytest.mark.parametrize("what", ["ended", "deleted"])
async def test_what_has_ended_by_then_is_left_alone(
    core: Core, api: Api, clock: ManualClock, what: str
) -> None:
    run = await a_cancelling_run(api)
    if what == "ended":
        await api.set_state(run, "CANCELLED", message="by its process")
    else:
        await api.delete(f"/flow_runs/{run}")
    async with working(core):
        await pass_time(clock, 306)
    rows = await core.database.read(None).all("select state from job")
    assert [row[0] for row in rows] == ["done"]
    if what == "ended":
        assert (await api.get(f"/flow_runs/{run}"))["state"]["message"] == "by its process"
