"""Background task runs: who is handed which, what is given back, and how a socket ends."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from armillary.core import Core
from armillary.task_runs.background import queue
from armillary.task_runs.background.subscribers import subscribers_of
from armillary.testing import ManualClock
from tests.api import OTHER_PREFIX, Api, add_other_workspace
from tests.core.work_pools.test_channel import Worker

PATH = "/task_runs/subscriptions/scheduled"
SCHEDULED = {"type": "SCHEDULED", "state_details": {"deferred": True}}


async def delayed(api: Api, number: int = 0, key: str = "say", **more: Any) -> str:
    """The id of a task run that was asked for as ``.delay()`` asks."""
    body = {"task_key": key, "dynamic_key": f"{key}-{number}", "name": key, "state": SCHEDULED}
    made = await api.post("/task_runs/", {**body, **more}, status=201)
    return str(made["id"])


async def waiting(core: Core) -> list[str]:
    rows = await core.database.read(None).all(
        "select task_run_id from task_run_waiting order by task_run_id"
    )
    return [row[0] for row in rows]


async def pass_time(core: Core, clock: ManualClock, seconds: int) -> None:
    """Move the clock step by step, so that what is written meanwhile is written in time."""
    for _ in range(seconds):
        await clock.advance(1)
        for _ in range(3):
            await core.database.write(lambda unit: unit.value("select 1"), workspace=None)
            await clock.settle()


async def is_held(core: Core, clock: ManualClock) -> bool:
    """Whether all that waits is somebody's; what prolongs that may be under way for a moment."""
    for _ in range(100):
        ahead = await queue.ahead(core.database.read(1), ["say"])
        if ahead and all(each.turn(clock.micros()) is None for each in ahead):
            return True
        await core.database.write(lambda unit: unit.value("select 1"), workspace=None)
        await clock.settle()
    return False


class TaskWorker(Worker):
    """A worker of some tasks."""

    async def subscribe(self, *keys: str, client_id: str | None = "host-1") -> None:
        self.say('{"type":"auth","token":null}')
        assert (await self.message())["type"] == "websocket.accept"
        assert await self.frame() == {"type": "auth_success"}
        said = {"type": "subscribe", "keys": keys, "client_id": client_id}
        self.say(msgspec.json.encode(said).decode())

    def acknowledge(self) -> None:
        self.say('{"type":"ack"}')

    async def take(self) -> str:
        """The id of the next run, acknowledged."""
        run = await self.frame()
        self.acknowledge()
        return str(run["id"])

    @property
    def silent(self) -> bool:
        return self._to_us.empty()


@contextlib.asynccontextmanager
async def serving(
    core: Core, *keys: str, client_id: str = "host-1", prefix: str = "/api"
) -> AsyncIterator[TaskWorker]:
    """A worker that has subscribed."""
    worker = TaskWorker(core, f"{prefix}{PATH}", ("prefect",))
    try:
        await worker.subscribe(*keys, client_id=client_id)
        yield worker
    finally:
        if not worker.task.done():
            await worker.leave()


@pytest.fixture
def api(client: Any) -> Api:
    return Api(client)


async def test_a_run_that_waited_is_handed_over_as_it_is_read(core: Core, api: Api) -> None:
    run = await delayed(api)
    async with serving(core, "say") as worker:
        assert await worker.frame() == await api.get(f"/task_runs/{run}")
        assert await waiting(core) == [run]
        worker.acknowledge()
        later = await delayed(api, 1)
        assert (await worker.frame())["id"] == later
        assert await waiting(core) == [later]


async def test_runs_of_other_tasks_and_those_not_deferred_are_not_handed_over(
    core: Core, api: Api, clock: ManualClock
) -> None:
    async with serving(core, "say") as worker:
        await delayed(api, key="sing")
        await delayed(api, 1, state={"type": "SCHEDULED"})
        await clock.advance(20)
        assert worker.silent


async def test_each_run_is_handed_to_one_worker(core: Core, api: Api) -> None:
    async with serving(core, "say") as one, serving(core, "say", client_id="host-2") as other:
        first, second = await delayed(api), await delayed(api, 1)
        assert {(await one.frame())["id"], (await other.frame())["id"]} == {first, second}
        third = await delayed(api, 2)
        assert one.silent
        assert other.silent
        one.acknowledge()
        assert await one.take() == third
        assert other.silent


async def test_nothing_more_is_sent_before_an_acknowledgement(
    core: Core, api: Api, clock: ManualClock
) -> None:
    first = await delayed(api)
    await delayed(api, 1)
    async with serving(core, "say") as worker:
        assert (await worker.frame())["id"] == first
        await clock.advance(100)
        assert worker.silent
        assert len(await waiting(core)) == 2


async def test_a_worker_that_goes_without_an_acknowledgement_gives_its_run_back_first(
    core: Core, api: Api
) -> None:
    first, second = await delayed(api), await delayed(api, 1)
    async with serving(core, "say") as worker:
        assert (await worker.frame())["id"] == first
    async with serving(core, "say") as worker:
        assert [await worker.take(), await worker.take()] == [first, second]


async def test_a_worker_that_waits_hears_of_what_another_gives_back(core: Core, api: Api) -> None:
    run = await delayed(api)
    async with serving(core, "say") as one:
        assert (await one.frame())["id"] == run
        async with serving(core, "say", client_id="host-2") as other:
            await one.leave()
            assert (await other.frame())["id"] == run


async def test_what_a_killed_server_was_handing_over_waits_again_after_a_while(
    core: Core, api: Api, clock: ManualClock
) -> None:
    run = await delayed(api)
    claimed = await core.database.write(
        lambda unit: queue.claim(unit, "say", queue.FIRST, "the one that was killed"), workspace=1
    )
    assert claimed is not None
    async with serving(core, "say") as worker:
        await clock.advance(queue.HOLD / 1e6 - 1)
        assert worker.silent
        await clock.advance(2)
        assert (await worker.frame())["id"] == run


async def test_what_a_living_worker_holds_is_given_to_nobody_who_comes_later(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await delayed(api)
    async with serving(core, "say") as worker:
        await worker.frame()
        for _ in range(round(3 * queue.HOLD / 1e6)):
            await pass_time(core, clock, 1)
            assert await is_held(core, clock)


async def test_a_busy_worker_is_sent_away_for_one_that_has_nothing_to_do(
    core: Core, api: Api, clock: ManualClock
) -> None:
    run = await delayed(api)
    async with serving(core, "say") as busy:
        await busy.frame()
        async with serving(core, "say", client_id="host-2") as other:
            while busy.silent:
                await pass_time(core, clock, 1)
            assert clock.monotonic() >= 10
            assert (await busy.closed())[0] == 1012
            assert (await other.frame())["id"] == run


async def test_many_runs_of_one_task_do_not_keep_those_of_another_waiting(
    core: Core, api: Api
) -> None:
    for number in range(6):
        await delayed(api, number)
    rare = await delayed(api, key="sing")
    async with serving(core, "say", "sing") as worker:
        assert rare in {await worker.take(), await worker.take()}


async def test_another_attempt_goes_first_but_not_before_its_time(
    core: Core, api: Api, clock: ManualClock
) -> None:
    retried = await delayed(
        api,
        state={
            "type": "SCHEDULED",
            "name": "AwaitingRetry",
            "state_details": {"deferred": True, "scheduled_time": "2026-01-01T12:00:30Z"},
        },
    )
    others = [await delayed(api, number) for number in (1, 2, 3)]
    async with serving(core, "say") as worker:
        assert await worker.take() == others[0]
        assert (await worker.frame())["id"] == others[1]
        await clock.advance(30)
        worker.acknowledge()
        assert [await worker.take(), await worker.take()] == [retried, others[2]]


async def test_a_time_that_a_client_put_into_the_state_delays_nothing(core: Core, api: Api) -> None:
    state = {
        "type": "SCHEDULED",
        "state_details": {"deferred": True, "scheduled_time": "2027-01-01T00:00:00Z"},
    }
    run = await delayed(api, state=state)
    async with serving(core, "say") as worker:
        assert await worker.take() == run


@pytest.mark.parametrize("state", ["CANCELLED", "PENDING"])
async def test_a_run_that_is_not_scheduled_any_more_waits_no_longer(
    core: Core, api: Api, state: str
) -> None:
    run = await delayed(api)
    body = {"state": {"type": state}, "force": True}
    await api.post(f"/task_runs/{run}/set_state", body, status=201)
    assert await waiting(core) == []


async def test_a_run_that_its_worker_tells_of_by_events_is_not_handed_over(
    core: Core, api: Api, clock: ManualClock
) -> None:
    run = await delayed(api)
    event = {
        "id": "00000000-0000-7000-8000-000000000001",
        "occurred": "2026-01-01T12:00:01Z",
        "event": "prefect.task-run.Pending",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{run}",
            "prefect.orchestration": "client",
        },
        "payload": {
            "validated_state": {"type": "PENDING", "name": "Pending"},
            "task_run": {"task_key": "say", "dynamic_key": "say-0"},
        },
    }
    await api.post("/events", [event], status=204)
    async with serving(core, "say") as worker:
        await clock.advance(10)
        assert worker.silent
    assert await waiting(core) == []


async def test_a_deleted_run_waits_no_longer(core: Core, api: Api) -> None:
    run = await delayed(api)
    await api.delete(f"/task_runs/{run}")
    assert await waiting(core) == []


async def test_a_run_that_is_scheduled_again_is_handed_over_again(core: Core, api: Api) -> None:
    run = await delayed(api)
    async with serving(core, "say") as worker:
        assert await worker.take() == run
        for state in ({"type": "FAILED"}, SCHEDULED):
            body = {"state": state, "force": True}
            await api.post(f"/task_runs/{run}/set_state", body, status=201)
        assert await worker.take() == run


async def test_the_same_run_asked_for_twice_waits_once(core: Core, api: Api) -> None:
    run = await delayed(api)
    async with serving(core, "say") as worker:
        assert await worker.take() == run
        body = {"task_key": "say", "dynamic_key": "say-0", "name": "say", "state": SCHEDULED}
        assert (await api.post("/task_runs/", body))["id"] == run
        await delayed(api, 1)
        assert (await worker.frame())["id"] != run


@pytest.mark.parametrize(
    "said",
    [
        '{"type":"filter"}', '{"type":"subscribe","client_id":"a"}', "nonsense", "[]",
        '{"type":"subscribe","keys":[],"client_id":"a"}', '{"type":"subscribe","keys":["a"]}',
        '{"type":"subscribe","keys":["\\u0000"],"client_id":"a"}',
    ],
)  # fmt: skip
async def test_who_does_not_subscribe_is_sent_away(core: Core, said: str) -> None:
    worker = TaskWorker(core, f"/api{PATH}", ("prefect",))
    worker.say('{"type":"auth","token":null}')
    assert (await worker.message())["type"] == "websocket.accept"
    assert await worker.frame() == {"type": "auth_success"}
    worker.say(said)
    assert (await worker.closed())[0] == 4001


async def test_a_worker_that_quits_is_let_go_and_its_run_waits_again(core: Core, api: Api) -> None:
    run = await delayed(api)
    async with serving(core, "say") as worker:
        await worker.frame()
        worker.say('{"type":"quit"}')
        assert (await worker.closed())[0] == 1000
    async with serving(core, "say") as worker:
        worker.say('{"type":"nonsense"}')
        assert (await worker.frame())["id"] == run
        assert (await worker.closed())[0] == 4001
    assert await waiting(core) == [run]


async def test_workspaces_have_runs_and_workers_of_their_own(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    ours, theirs = await delayed(api), await delayed(other)
    async with serving(core, "say", prefix=OTHER_PREFIX) as worker:
        assert await worker.take() == theirs
        await clock.advance(10)
        assert worker.silent
        assert await api.post("/task_workers/filter") == []
        assert len(await other.post("/task_workers/filter")) == 1
    assert await waiting(core) == [ours]


async def test_connected_workers_are_listed_by_what_they_serve(
    core: Core, api: Api, clock: ManualClock
) -> None:
    async with serving(core, "say", "sing"), serving(core, "hum", client_id="host-2") as hums:
        await pass_time(core, clock, 7)
        both = await api.post("/task_workers/filter", {"task_worker_filter": {"task_keys": []}})
        assert both == [
            {"identifier": "host-1", "task_keys": ["say", "sing"],
             "timestamp": "2026-01-01T12:00:07Z"},
            {"identifier": "host-2", "task_keys": ["hum"], "timestamp": "2026-01-01T12:00:07Z"},
        ]  # fmt: skip
        await hums.leave()
        asked = {"task_worker_filter": {"task_keys": ["hum", "sing"]}}
        assert await api.post("/task_workers/filter", asked) == both[:1]
    assert await api.post("/task_workers/filter") == []
    assert len(subscribers_of(core)) == 0


async def test_a_filter_of_workers_has_to_name_tasks(api: Api) -> None:
    await api.post("/task_workers/filter", {"task_worker_filter": {}}, status=422)
