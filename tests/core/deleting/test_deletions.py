"""What is deleted is gone with the answer; what hangs below it is unseen, and goes bit by bit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.deleting import deletions
from armillary.errors import Busy
from armillary.jobs import store
from armillary.jobs.worker import workers
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear
from tests.api import Api
from tests.contracts.world import a_world

TABLES = (
    "flow", "flow_run", "flow_run_state", "flow_run_tag", "flow_run_input", "task_run",
    "task_run_state", "deployment", "deployment_schedule", "log", "work_pool", "work_queue",
    "worker", "doomed", "artifact", "artifact_collection",
)  # fmt: skip


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


@pytest.fixture(autouse=True)
def little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "AT_ONCE", 2)
    monkeypatch.setattr(deletions, "AT_A_TIME", 3)


@asynccontextmanager
async def working(core: Core) -> AsyncIterator[Ear]:
    (worker,) = [each for each in workers(core) if each.name == "server_background.jobs"]
    ear = Ear(worker)
    supervisor = Supervisor([worker])
    await core.broker.start()
    await supervisor.start()
    yield ear
    await supervisor.stop()


async def counts(core: Core) -> dict[str, int]:
    reader = core.database.read(None)
    found = {name: await reader.value(f"select count(*) from {name}") for name in TABLES}
    return {name: count for name, count in found.items() if count}


async def orphans(core: Core) -> dict[str, int]:
    return await core.deletions.family.orphans(core.database.read(None))


async def a_run(api: Api, flow: str, tasks: int = 2) -> dict[str, Any]:
    body = {"flow_id": flow, "tags": ["t"], "state": {"type": "RUNNING"}}
    run = await api.post("/flow_runs/", body, status=201)
    made = [
        await api.post(
            "/task_runs/",
            {"flow_run_id": run["id"], "task_key": "k", "dynamic_key": str(number),
             "state": {"type": "RUNNING"}},
            status=201,
        )
        for number in range(tasks)
    ]  # fmt: skip
    line = {"name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T12:00:00Z"}
    await api.post("/logs/", [{**line, "flow_run_id": run["id"]}], status=201)
    await api.post(f"/flow_runs/{run['id']}/input", {"key": "k", "value": "1"}, status=201)
    for number in range(3):
        shown = {"key": f"k-{number % 2}", "flow_run_id": run["id"]}
        await api.post("/artifacts/", shown, status=201)
    return {**run, "tasks": [each["id"] for each in made]}


async def assert_unseen(api: Api, run: dict[str, Any]) -> None:
    await api.get(f"/flow_runs/{run['id']}", status=404)
    await api.get(f"/task_runs/{run['tasks'][0]}", status=404)
    one = {"id": {"any_": [run["id"]]}}
    assert await api.post("/flow_runs/filter", {"flow_runs": one}) == []
    assert await api.post("/flow_runs/count", {"flow_runs": one}) == 0
    assert await api.post("/task_runs/filter", {"flow_runs": one}) == []
    assert await api.post("/task_runs/filter") == []
    assert await api.get(f"/flow_run_states/?flow_run_id={run['id']}") == []
    assert await api.post("/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}}) == []
    state = {"state": {"type": "COMPLETED"}}
    await api.post(f"/flow_runs/{run['id']}/set_state", state, status=404)


async def test_a_flow_is_gone_with_the_answer_and_its_name_is_free(api: Api, core: Core) -> None:
    flow = await api.flow()
    runs = [await a_run(api, flow) for _ in range(3)]
    await api.deployment(flow, schedules=[{"schedule": {"interval": 3600}}])
    await api.delete(f"/flows/{flow}")
    await api.delete(f"/flows/{flow}", status=404)
    await api.get(f"/flows/{flow}", status=404)
    for run in runs:
        await assert_unseen(api, run)
    assert await api.post("/flow_runs/filter") == []
    assert await api.post("/deployments/filter") == []
    assert await api.post("/flows/filter") == []
    assert (await counts(core))["flow_run"] > 0, "they are still there, unseen"
    again = await api.flow()
    assert again != flow
    other = await a_run(api, again)
    assert (await api.get(f"/flow_runs/{other['id']}"))["id"] == other["id"]

    async with working(core) as ear:
        await ear.hear("settled")
    assert await orphans(core) == {}
    assert "doomed" not in await counts(core)
    assert await core.database.read(None).value("select count(*) from flow_run") == 1
    assert (await api.get(f"/flow_runs/{other['id']}"))["id"] == other["id"]


async def test_all_of_a_flow_goes_in_the_end(api: Api, core: Core) -> None:
    flow = await api.flow()
    for _ in range(2):
        await a_run(api, flow)
    await api.deployment(flow, schedules=[{"schedule": {"interval": 3600}}], concurrency_limit=2)
    await api.delete(f"/flows/{flow}")
    async with working(core) as ear:
        await ear.hear("settled")
    assert await counts(core) == {}
    assert await core.database.read(None).value("select count(*) from concurrency_limit") == 0


async def test_a_deletion_is_told_once(api: Api, core: Core) -> None:
    flow = await api.flow()
    await a_run(api, flow)
    await api.delete(f"/flows/{flow}")
    async with working(core) as ear:
        await ear.hear("settled")
    rows = await core.database.read(None).all("select body from outbox where topic = 'events'")
    assert sum('"prefect.flow.deleted"' in row[0] for row in rows) == 1


async def test_what_hangs_below_a_flow_run_is_unseen_at_once(api: Api, core: Core) -> None:
    flow = await api.flow()
    run, other = await a_run(api, flow, 5), await a_run(api, flow, 0)
    child = await api.post(
        "/flow_runs/", {"flow_id": flow, "parent_task_run_id": run["tasks"][4]}, status=201
    )
    await api.delete(f"/flow_runs/{run['id']}")
    await assert_unseen(api, run)
    assert (await api.get(f"/flow_runs/{other['id']}"))["id"] == other["id"]
    async with working(core) as ear:
        await ear.hear("settled")
    assert await orphans(core) == {}
    assert (await counts(core))["log"] == 1
    left = await api.get(f"/flow_runs/{child['id']}")
    assert left["parent_task_run_id"] is None


async def test_what_a_deployment_has_ahead_goes_with_it(api: Api, core: Core) -> None:
    made = await api.deployment()
    ahead = [
        await api.post(f"/deployments/{made['id']}/create_flow_run", {}, status=201)
        for _ in range(4)
    ]
    body = {"flow_id": made["flow_id"], "deployment_id": made["id"], "state": {"type": "RUNNING"}}
    running = await api.post("/flow_runs/", body, status=201)
    await api.delete(f"/deployments/{made['id']}")
    for run in ahead:
        await api.get(f"/flow_runs/{run['id']}", status=404)
    assert (await api.get(f"/flow_runs/{running['id']}"))["deployment_id"] == made["id"]
    async with working(core) as ear:
        await ear.hear("settled")
    assert (await counts(core))["flow_run"] == 1
    assert await orphans(core) == {}


async def test_runs_lose_the_queue_of_a_pool_that_is_deleted(api: Api, core: Core) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool")
    runs = [
        await api.post(f"/deployments/{made['id']}/create_flow_run", {}, status=201)
        for _ in range(5)
    ]
    await api.delete("/work_pools/pool")
    await api.get("/work_pools/pool", status=404)
    await api.get(f"/work_queues/{runs[0]['work_queue_id']}", status=404)
    for run in runs:
        assert (await api.get(f"/flow_runs/{run['id']}"))["work_queue_id"] is None
    await api.pool()
    async with working(core) as ear:
        await ear.hear("settled")
    assert await orphans(core) == {}
    reader = core.database.read(None)
    assert await reader.value("select count(*) from flow_run where work_queue_id is not null") == 0
    assert (await counts(core))["work_pool"] == 1


async def test_what_was_doomed_before_a_start_is_unseen_after_it(api: Api, core: Core) -> None:
    flow = await api.flow()
    run = await a_run(api, flow)
    await api.delete(f"/flows/{flow}")
    core.deletions._doomed.clear()  # as a process that has just begun
    await core.deletions.open()
    await assert_unseen(api, run)


async def test_a_deletion_that_cannot_be_finished_later_is_refused(
    api: Api, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ROOM", 1)
    first, flow = await api.flow("first"), await api.flow()
    await a_run(api, first)
    await a_run(api, flow)
    await api.delete(f"/flows/{first}")
    answer = await api.client.delete(f"/api/flows/{flow}")
    assert answer.status_code == Busy.status
    assert answer.headers["retry-after"] == "5"
    assert (await api.get(f"/flows/{flow}"))["id"] == flow
    assert (await counts(core))["doomed"] == 1


class TestWithoutItsPlugin:
    @pytest.fixture
    def core_flags(self) -> dict[str, object]:
        return {"plugins.disable": ("server_background",)}

    async def test_everything_goes_with_the_answer(self, api: Api, core: Core) -> None:
        flow = await api.flow()
        await a_run(api, flow)
        await api.delete(f"/flows/{flow}")
        assert await counts(core) == {}


async def test_an_orphan_is_found(core: Core, api: Api) -> None:
    await a_world(core, api)
    assert await orphans(core) == {}

    async def tear(unit: Unit) -> None:
        await unit.run("delete from task_run")

    await core.database.write(tear, workspace=None)
    assert "task_run_state.task_run_id" in await orphans(core)
