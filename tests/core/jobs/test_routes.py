"""How jobs go can be seen, and a dead one be tried again, in one's own workspace."""

import httpx
import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.deleting import deletions
from armillary.jobs import Wanted, store
from tests.api import NOBODY, OTHER_PREFIX, Api, add_other_workspace


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


async def a_job(
    core: Core, key: str, state: str = "waiting", what: tuple[str, str] = ("moon", "dig")
) -> str:
    job_id = core.ids.uuid7()

    async def work(unit: Unit) -> None:
        queue, job = what
        wanted = Wanted(id=job_id, queue=queue, job=job, key=key, arguments={"deep": 3})
        await store.enqueue(unit, wanted)
        await unit.run("update job set state = ?, attempts = 2 where id = ?", state, job_id)

    await core.database.write(work, workspace=1)
    return job_id


async def test_jobs_are_listed_newest_first(api: Api, core: Core) -> None:
    first, second = await a_job(core, "a"), await a_job(core, "b", "dead")
    listed = await api.post("/jobs/filter")
    assert [job["id"] for job in listed] == [second, first]
    assert [job["id"] for job in await api.post("/jobs/filter", {"states": ["dead"]})] == [second]
    assert await api.post("/jobs/filter", {"queues": ["sun"]}) == []
    assert [job["id"] for job in await api.post("/jobs/filter", {"limit": 1, "offset": 1})] == [
        first
    ]
    assert await api.get("/jobs/totals") == [
        {"queue": "moon", "state": "dead", "count": 1},
        {"queue": "moon", "state": "waiting", "count": 1},
    ]


async def test_a_state_that_there_is_not_is_refused(api: Api) -> None:
    await api.post("/jobs/filter", {"states": ["lost"]}, status=422)


async def test_a_dead_job_is_tried_again(api: Api, core: Core) -> None:
    job = await a_job(core, "a", "dead")
    await api.post(f"/jobs/{job}/retry", status=204)
    found = await api.get(f"/jobs/{job}")
    assert (found["state"], found["attempts"], found["arguments"]) == ("waiting", 0, {"deep": 3})
    refused = await api.post(f"/jobs/{job}/retry", status=409)
    assert "only a dead one" in refused["detail"]


async def test_a_dead_job_is_discarded_and_no_other(api: Api, core: Core) -> None:
    dead, waiting = await a_job(core, "a", "dead"), await a_job(core, "b")
    assert await store.count_dead(core.database.read(None), most=5) == 1
    await api.delete(f"/jobs/{dead}")
    await api.get(f"/jobs/{dead}", status=404)
    refused = await api.call("DELETE", f"/jobs/{waiting}", status=409)
    assert "only a dead one" in refused["detail"]
    assert await store.count_dead(core.database.read(None), most=5) == 0


async def test_what_finishes_a_deletion_is_tried_again_but_not_discarded(
    api: Api, core: Core
) -> None:
    dead = await a_job(core, "flow x", "dead", (deletions.QUEUE, deletions.JOB))
    refused = await api.call("DELETE", f"/jobs/{dead}", status=409)
    assert "Try it again" in refused["detail"]
    assert (await api.get(f"/jobs/{dead}"))["state"] == "dead"
    await api.post(f"/jobs/{dead}/retry", status=204)


async def test_a_job_that_is_not_there_is_not_found(api: Api, core: Core) -> None:
    await api.get(f"/jobs/{NOBODY}", status=404)
    await api.post(f"/jobs/{NOBODY}/retry", status=404)
    await api.delete(f"/jobs/{NOBODY}", status=404)
    await add_other_workspace(core)
    job = await a_job(core, "a", "dead")
    other = Api(api.client, OTHER_PREFIX)
    await other.get(f"/jobs/{job}", status=404)
    await other.post(f"/jobs/{job}/retry", status=404)
    await other.delete(f"/jobs/{job}", status=404)
    assert await other.post("/jobs/filter") == []
