"""What older clients ask of one queue: its due runs, its status; and who takes its slots."""

from armillary.testing import ManualClock
from tests.api import Api

QUEUE = "/work_pools/pool/queues/default"


async def queue_id(api: Api) -> str:
    return (await api.get(QUEUE))["id"]


async def due(api: Api, queue: str, **more: object) -> list[str]:
    return [run["id"] for run in await api.post(f"/work_queues/{queue}/get_runs", more)]


async def test_due_runs_come_in_the_order_of_time_with_their_states(api: Api) -> None:
    await api.pool()
    deployment = await api.deployment(work_pool_name="pool")
    runs = [
        await api.run(
            deployment["id"],
            state={
                "type": "SCHEDULED",
                "state_details": {"scheduled_time": f"2026-01-0{day}T00:00:00Z"},
            },
        )
        for day in (3, 1, 2)
    ]
    queue = await queue_id(api)
    wanted = [runs[1]["id"], runs[2]["id"], runs[0]["id"]]
    assert await due(api, queue) == wanted
    assert await due(api, queue, limit=2) == wanted[:2]
    assert await due(api, queue, scheduled_before="2026-01-02 00:00:00+00:00") == wanted[:2]
    [first] = await api.post(f"/work_queues/{queue}/get_runs", {"limit": 1})
    assert first["state"]["type"] == "SCHEDULED"


async def test_a_paused_or_full_queue_gives_nothing(api: Api) -> None:
    await api.pool()
    deployment = await api.deployment(work_pool_name="pool")
    await api.run(deployment["id"])
    running = await api.run(deployment["id"])
    await api.set_state(running["id"], "RUNNING")
    queue = await queue_id(api)
    assert len(await due(api, queue)) == 1
    await api.patch(QUEUE, {"concurrency_limit": 1})
    assert await due(api, queue) == []
    await api.patch(QUEUE, {"concurrency_limit": 2})
    assert len(await due(api, queue)) == 1
    await api.patch(QUEUE, {"is_paused": True})
    assert await due(api, queue) == []


async def test_a_queue_with_a_filter_gives_the_runs_it_chooses(api: Api) -> None:
    flow = await api.flow()
    one = await api.deployment(flow, "one", tags=["a", "b"])
    two = await api.deployment(flow, "two", tags=["a"])
    first = await api.run(one["id"])
    second = await api.run(two["id"])
    await api.post("/flow_runs/", {"flow_id": flow, "state": {"type": "SCHEDULED"}}, status=201)
    queue = await api.post("/work_queues/", {"name": "q", "filter": {"tags": ["a"]}}, status=201)
    assert queue["filter"] == {"tags": ["a"], "deployment_ids": None}
    assert set(await due(api, queue["id"])) == {first["id"], second["id"]}
    path = f"/work_queues/{queue['id']}"
    await api.patch(path, {"filter": {"tags": ["a", "b"]}})
    assert await due(api, queue["id"]) == [first["id"]]
    await api.patch(path, {"filter": {"deployment_ids": [two["id"]]}, "concurrency_limit": 1})
    assert await due(api, queue["id"]) == [second["id"]]
    await api.set_state(second["id"], "PENDING")
    await api.run(two["id"])
    assert await due(api, queue["id"]) == []
    await api.patch(path, {"filter": None})
    assert (await api.get(path))["filter"] is None
    assert await due(api, queue["id"]) == []


async def test_asking_is_a_poll_unless_a_browser_asks(api: Api) -> None:
    await api.pool()
    path = f"/work_queues/{await queue_id(api)}"
    await api.post(f"{path}/get_runs", {}, headers={"x-prefect-ui": "true"})
    assert (await api.get(path))["last_polled"] is None
    await api.post(f"{path}/get_runs")
    queue = await api.get(path)
    assert (queue["status"], queue["last_polled"]) == ("READY", "2026-01-01T12:00:00Z")


async def test_a_queue_is_healthy_while_it_is_polled_and_nothing_is_late(
    api: Api, clock: ManualClock
) -> None:
    await api.pool()
    deployment = await api.deployment(work_pool_name="pool")
    path = f"/work_queues/{await queue_id(api)}"
    status = await api.get(f"{path}/status")
    assert status == {
        "healthy": False, "late_runs_count": 0, "last_polled": None,
        "health_check_policy": {
            "maximum_late_runs": 0, "maximum_seconds_since_last_polled": 60,
        },
    }  # fmt: skip
    await api.post(f"{path}/get_runs")
    assert (await api.get(f"{path}/status"))["healthy"] is True
    await clock.advance(61)
    assert (await api.get(f"{path}/status"))["healthy"] is False
    await api.post(f"{path}/get_runs")
    run = await api.run(deployment["id"])
    await api.set_state(run["id"], "SCHEDULED", name="Late")
    status = await api.get(f"{path}/status")
    assert (status["healthy"], status["late_runs_count"]) == (False, 1)


async def test_who_takes_the_slots_is_shown_by_queue(api: Api, clock: ManualClock) -> None:
    await api.pool(concurrency_limit=9)
    await api.queue("q", concurrency_limit=4)
    flow = await api.flow()
    for name in ("default", "q"):
        deployment = await api.deployment(flow, name, work_pool_name="pool", work_queue_name=name)
        for kind in ("RUNNING", "PENDING", "CANCELLING", "SCHEDULED", "COMPLETED"):
            run = await api.run(deployment["id"], name=f"{name} {kind}")
            if kind == "CANCELLING":
                await api.set_state(run["id"], "RUNNING")
            await api.set_state(run["id"], kind)
            await clock.advance(10)
    found = await api.post("/work_pools/pool/concurrency_status", {"flow_run_limit": 1})
    assert (found["active_slots"], found["concurrency_limit"]) == (4, 9)
    assert [found[name] for name in ("count", "limit", "pages", "page")] == [2, 200, 1, 1]
    first, second = found["queues"]
    assert (first["queue_name"], first["concurrency_limit"]) == ("default", None)
    assert (second["queue_name"], second["concurrency_limit"]) == ("q", 4)
    assert (second["active_slots"], second["flow_run_count"]) == (2, 2)
    [oldest] = second["flow_runs"]
    assert (oldest["name"], round(oldest["time_in_current_state"])) == ("q RUNNING", 50)
    page = await api.post("/work_pools/pool/concurrency_status", {"limit": 1, "page": 2})
    assert [each["queue_name"] for each in page["queues"]] == ["q"]
    assert [each["name"] for each in page["queues"][0]["flow_runs"]] == ["q RUNNING", "q PENDING"]
    assert (page["pages"], page["active_slots"]) == (2, 4)
    for wrong in ({"page": 0}, {"limit": 201}, {"flow_run_limit": 201}, {"flow_run_limit": -1}):
        await api.post("/work_pools/pool/concurrency_status", wrong, status=422)

    queue = await api.get("/work_pools/pool/queues/q")
    path = f"/work_queues/{queue['id']}/concurrency_status"
    found = await api.post(path, {"limit": 2, "page": 2})
    assert (found["active_slots"], found["concurrency_limit"]) == (3, 4)
    assert [each["name"] for each in found["flow_runs"]] == ["q CANCELLING"]
    assert [found[name] for name in ("count", "limit", "pages", "page")] == [3, 2, 2, 2]
