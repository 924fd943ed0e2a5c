"""Pauses that nobody ended in time fail; others wait on."""

from armillary.core import Core
from armillary.services.loop import Done
from armillary.testing import ManualClock
from armillary_plugins.fail_expired_pauses.config import Config
from armillary_plugins.fail_expired_pauses.services import FailExpiredPauses
from tests.api import Api


async def paused(api: Api, deployment: str, seconds: float | None) -> str:
    run = await api.run(deployment)
    await api.set_state(run["id"], "RUNNING")
    details = {} if seconds is None else {"pause_timeout": 1767268800 + seconds}
    await api.set_state(run["id"], "PAUSED", state_details=details)
    return run["id"]


async def test_an_expired_pause_is_failed(core: Core, api: Api, clock: ManualClock) -> None:
    service = FailExpiredPauses(core, Config(batch=2))
    made = await api.deployment()
    soon = [await paused(api, made["id"], 60) for _ in range(3)]
    later, never = await paused(api, made["id"], 600), await paused(api, made["id"], None)
    resumed = await paused(api, made["id"], 60)
    await api.set_state(resumed, "RUNNING")
    await clock.advance(60)
    assert await service.turn() == Done(found=0, changed=0)
    await clock.advance(1)
    assert await service.turn() == Done(found=3, changed=3)
    for run in soon:
        state = (await api.get(f"/flow_runs/{run}"))["state"]
        assert (state["type"], state["message"]) == (
            "FAILED", "The flow was paused and never resumed.",
        )  # fmt: skip
    for run, kind in ((later, "PAUSED"), (never, "PAUSED"), (resumed, "RUNNING")):
        assert (await api.get(f"/flow_runs/{run}"))["state_type"] == kind
    assert await service.turn() == Done(found=0, changed=0)


async def test_a_retry_does_not_bring_an_expired_pause_back(
    core: Core, api: Api, clock: ManualClock
) -> None:
    made = await api.deployment()
    run = await api.run(made["id"], empirical_policy={"retries": 3})
    await api.set_state(run["id"], "RUNNING")
    await api.set_state(run["id"], "PAUSED", state_details={"pause_timeout": 1767268860})
    await clock.advance(61)
    await FailExpiredPauses(core, Config()).turn()
    assert (await api.get(f"/flow_runs/{run['id']}"))["state_type"] == "FAILED"
