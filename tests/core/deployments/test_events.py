"""Events of deployments."""

from armillary.core import Core
from tests.api import Api, events, names_of_events


async def test_a_deployment_is_announced_with_what_belongs_to_it(core: Core, api: Api) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool", concurrency_limit=1)
    event = (await events(core))[-1]
    assert (event["event"], event["payload"]) == ("prefect.deployment.created", {})
    assert event["resource"] == {
        "prefect.resource.id": f"prefect.deployment.{made['id']}",
        "prefect.resource.name": "nightly",
    }
    roles = [each["prefect.resource.role"] for each in event["related"]]
    assert roles == ["flow", "work-queue", "work-pool", "concurrency-limit"]
    assert event["related"][2]["prefect.work-pool.type"] == "process"


async def test_changes_say_from_what_to_what(core: Core, api: Api) -> None:
    made = await api.deployment(tags=["a"])
    path = f"/deployments/{made['id']}"
    before = len(await events(core))
    await api.patch(path, {"tags": ["a"], "schedules": [{"schedule": {"cron": "0 0 * * *"}}]})
    assert await names_of_events(core, since=before) == []
    await api.patch(path, {"tags": ["b"], "job_variables": {"a": 1}, "paused": True})
    [event] = (await events(core))[before:]
    assert event["event"] == "prefect.deployment.updated"
    assert event["payload"]["updates"] == {
        "tags": {"from": ["a"], "to": ["b"]},
        "infra_overrides": {"from": {}, "to": {"a": 1}},
        "paused": {"from": False, "to": True},
    }
    assert sorted(event["payload"]["updated_fields"]) == ["infra_overrides", "paused", "tags"]


async def test_a_limit_that_comes_or_goes_is_a_change(core: Core, api: Api) -> None:
    made = await api.deployment()
    path = f"/deployments/{made['id']}"
    before = len(await events(core))
    await api.patch(path, {"concurrency_limit": 2})
    await api.patch(path, {"concurrency_limit": 3})
    limit = (await api.get(path))["global_concurrency_limit"]
    assert limit["limit"] == 3
    await api.patch(path, {"concurrency_limit": None})
    announced = [each for each in (await events(core))[before:] if "deployment." in each["event"]]
    assert [each["payload"]["updates"]["concurrency_limit_id"] for each in announced] == [
        {"from": None, "to": limit["id"]}, {"from": limit["id"], "to": None},
    ]  # fmt: skip


async def test_upserts_pauses_and_deletions_are_announced(core: Core, api: Api) -> None:
    made = await api.deployment()
    before = len(await events(core))
    same = {"name": "nightly", "flow_id": made["flow_id"]}
    await api.post("/deployments/", same)
    await api.post("/deployments/", {**same, "version": "2"})
    await api.post(f"/deployments/{made['id']}/pause_deployment")
    await api.post(f"/deployments/{made['id']}/pause_deployment")
    await api.delete(f"/deployments/{made['id']}")
    assert await names_of_events(core, since=before) == [
        "deployment.updated", "deployment.updated", "deployment.deleted",
    ]  # fmt: skip


async def test_scheduled_runs_are_not_announced(core: Core, api: Api) -> None:
    await api.deployment(schedules=[{"schedule": {"cron": "* * * * *"}}])
    assert await names_of_events(core) == ["flow.created", "deployment.created"]
