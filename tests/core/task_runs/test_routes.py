"""Single task runs over HTTP: what is answered, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from tests.core.task_runs.clients import (
    OTHER,
    WORKSPACE,
    a_flow_run,
    history,
    life,
    task_event,
    uuid,
)

RUN = uuid(1)
FIELDS = {
    "id", "created", "updated", "name", "flow_run_id", "task_key", "dynamic_key", "cache_key",
    "cache_expiration", "task_version", "empirical_policy", "tags", "labels", "state_id",
    "task_inputs", "state_type", "state_name", "run_count", "flow_run_run_count",
    "expected_start_time", "next_scheduled_start_time", "start_time", "end_time",
    "total_run_time", "estimated_run_time", "estimated_start_time_delta", "state",
}  # fmt: skip


def body(flow_run: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": RUN,
        "name": "say-0",
        "flow_run_id": flow_run,
        "task_key": "say",
        "dynamic_key": "0",
        "task_inputs": {"word": [{"input_type": "parameter", "name": "word"}]},
        **changes,
    }


async def create(client: httpx.AsyncClient, flow_run: str | None, **changes: Any) -> httpx.Response:
    return await client.post("/api/task_runs/", json=body(flow_run, **changes))


async def test_a_created_run_is_answered_with_every_field(
    core: Core, client: httpx.AsyncClient
) -> None:
    flow_run = await a_flow_run(core)
    answer = await create(client, flow_run, tags=["a", "b", "a"], unknown=1)
    assert answer.status_code == 201
    run = answer.json()
    assert set(run) == FIELDS
    assert run["tags"] == ["a", "b"]
    assert run["task_inputs"] == body(None)["task_inputs"]
    assert run["empirical_policy"] == {
        "max_retries": 0, "retry_delay_seconds": 0, "retries": None, "retry_delay": None,
        "retry_jitter_factor": None,
    }  # fmt: skip
    assert run["state"]["name"] == run["state_name"] == "Pending"
    assert run["state"]["state_details"]["task_run_id"] == RUN
    assert (await client.get(f"/api/task_runs/{RUN}")).json() == run


async def test_creating_it_again_answers_200_with_the_run_that_exists(
    core: Core, client: httpx.AsyncClient
) -> None:
    flow_run = await a_flow_run(core)
    first = await create(client, flow_run)
    again = await create(client, flow_run, id=uuid(2), state={"type": "RUNNING"})
    assert again.status_code == 200
    assert again.json() == first.json()


async def test_an_unknown_flow_run_is_a_conflict(client: httpx.AsyncClient) -> None:
    assert (await create(client, uuid(77))).status_code == 409


async def test_without_id_and_name_the_server_gives_both(client: httpx.AsyncClient) -> None:
    answer = await create(client, None, id=None, name=None, tags=None, labels=None)
    assert answer.status_code == 201
    assert answer.json()["id"]
    assert answer.json()["name"]


@pytest.mark.parametrize(
    "changes",
    [
        {"task_key": None},
        {"task_key": "k" * 1001},
        {"dynamic_key": "é" * 501},
        {"id": "x"},
        {"empirical_policy": {"retry_delay": [1] * 51}},
        {"empirical_policy": {"retry_jitter_factor": -1}},
        {"labels": {"a": {}}},
        {"state": {"type": "ASLEEP"}},
        {"task_inputs": {"a": 1}},
    ],
)
async def test_a_malformed_run_is_refused(
    client: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    answer = await create(client, None, **changes)
    assert answer.status_code == 422
    assert answer.json()["exception_message"] == "Invalid request received."
    assert (await client.get(f"/api/task_runs/{RUN}")).status_code == 404


async def test_a_state_that_is_taken_is_201_and_one_that_is_not_is_200(
    core: Core, client: httpx.AsyncClient
) -> None:
    await create(client, await a_flow_run(core))
    taken = await client.post(
        f"/api/task_runs/{RUN}/set_state",
        json={"state": {"type": "COMPLETED", "data": {"type": "x"}}, "force": None},
    )
    assert (taken.status_code, taken.json()["status"]) == (201, "ACCEPT")
    refused = await client.post(
        f"/api/task_runs/{RUN}/set_state", json={"state": {"type": "CRASHED"}}
    )
    assert (refused.status_code, refused.json()["status"]) == (200, "ABORT")
    assert refused.json()["state"] == taken.json()["state"]


async def test_a_state_for_an_unknown_run_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        f"/api/task_runs/{RUN}/set_state", json={"state": {"type": "RUNNING"}}
    )
    assert answer.status_code == 404
    assert answer.json() == {"exception_message": f"Task run with id {RUN} not found"}


async def test_only_the_name_is_changed(core: Core, client: httpx.AsyncClient) -> None:
    await create(client, await a_flow_run(core))
    changed = await client.patch(f"/api/task_runs/{RUN}", json={"name": "new", "run_count": 9})
    assert (changed.status_code, changed.content) == (204, b"")
    run = (await client.get(f"/api/task_runs/{RUN}")).json()
    assert (run["name"], run["run_count"]) == ("new", 0)
    missing = await client.patch(f"/api/task_runs/{uuid(9)}", json={"name": "new"})
    assert missing.status_code == 404


async def test_deleting_a_run_deletes_its_states_and_keeps_its_subflow(
    core: Core, client: httpx.AsyncClient
) -> None:
    flow_run = await a_flow_run(core)
    await create(client, flow_run)
    child = await client.post(
        "/api/flow_runs/", json={"flow_id": uuid(1001), "parent_task_run_id": RUN}
    )
    assert (await client.delete(f"/api/task_runs/{RUN}")).status_code == 204
    assert (await client.get(f"/api/task_runs/{RUN}")).status_code == 404
    assert (await client.delete(f"/api/task_runs/{RUN}")).status_code == 404
    assert await history(core, RUN) == []
    kept = (await client.get(f"/api/flow_runs/{child.json()['id']}")).json()
    assert kept["parent_task_run_id"] is None


async def test_states_are_listed_in_the_order_they_were_in(
    core: Core, client: httpx.AsyncClient
) -> None:
    await core.intake.accept(WORKSPACE, life(RUN, None)[::-1])
    found = (await client.get("/api/task_run_states/", params={"task_run_id": RUN})).json()
    assert [state["name"] for state in found] == [
        "Pending", "Running", "Scheduled", "Running", "Completed",
    ]  # fmt: skip
    one = await client.get(f"/api/task_run_states/{found[1]['id']}")
    assert one.json() == found[1]


async def test_states_are_refused_without_a_run_and_not_found_without_themselves(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/api/task_run_states/")).status_code == 422
    malformed = await client.get("/api/task_run_states/", params={"task_run_id": "x"})
    assert malformed.status_code == 422
    assert (await client.get(f"/api/task_run_states/{RUN}")).status_code == 404


async def test_runs_of_another_workspace_are_not_found(
    core: Core, client: httpx.AsyncClient
) -> None:
    await a_flow_run(core, workspace=OTHER, number=2)
    await core.intake.accept(OTHER, life(RUN, uuid(2002)))
    assert (await client.get(f"/api/task_runs/{RUN}")).status_code == 404
    assert (await client.patch(f"/api/task_runs/{RUN}", json={"name": "x"})).status_code == 404
    assert (await client.delete(f"/api/task_runs/{RUN}")).status_code == 404
    assert (await client.get(f"/api/task_run_states/{uuid(100)}")).status_code == 404
    listed = await client.get("/api/task_run_states/", params={"task_run_id": RUN})
    assert listed.json() == []
    assert len(await history(core, RUN)) == 5


async def test_a_run_that_runs_has_run_until_now(
    core: Core, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    values = {
        "start_time": "2026-01-01T12:00:05Z", "expected_start_time": "2026-01-01T12:00:03Z",
        "total_run_time": 1.5,
    }  # fmt: skip
    event = task_event(10, "RUNNING", at=5, run=RUN, flow_run=None, task_run=values)
    await core.intake.accept(WORKSPACE, [event])
    await clock.advance(15)
    run = (await client.get(f"/api/task_runs/{RUN}")).json()
    assert run["total_run_time"] == 1.5
    assert run["estimated_run_time"] == 11.5
    assert run["estimated_start_time_delta"] == 2.0
