"""The routes of automations: made, found, changed and deleted as clients do it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from armillary.core import Core
from armillary.testing import ManualClock
from tests.api import NOBODY, OTHER_PREFIX, Api, add_other_workspace, events, names_of_events
from tests.plugins.automations.samples import (
    EVENT,
    TRIGGERS,
    automation,
    ids_of,
    without_ids,
)

VARIABLES = {
    "type": "object",
    "properties": {"cpu": {"type": "integer"}, "image": {"type": "string"}},
    "required": ["cpu"],
}
TEMPLATE = {"job_configuration": {"c": "{{ cpu }}", "i": "{{ image }}"}, "variables": VARIABLES}
MISSING = {"exception_message": "Automation not found"}


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


async def make(api: Api, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = await api.post("/automations/", automation(**more), status=201)
    return made


def names(found: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in found]


def run(deployment: str, **more: Any) -> dict[str, Any]:
    return {"type": "run-deployment", "deployment_id": deployment, **more}


@pytest.mark.parametrize("kind", TRIGGERS)
async def test_what_was_made_is_read_as_it_was_sent(api: Api, kind: str) -> None:
    full = {
        "description": "d", "enabled": False, "tags": ["b", "a"],
        "actions_on_trigger": [{"type": "cancel-flow-run"}],
        "actions_on_resolve": [{"type": "resume-flow-run"}],
    }  # fmt: skip
    sent = automation(trigger=TRIGGERS[kind], **full)
    made = await api.post("/automations/", sent, status=201)
    assert await api.get(f"/automations/{made['id']}") == made
    assert made.pop("created") == made.pop("updated")
    del made["id"]
    made["trigger"] = without_ids(made["trigger"])
    assert made == sent


async def test_ids_of_triggers_are_the_servers_and_new_with_each_change(api: Api) -> None:
    sent = {**TRIGGERS["sequence"], "id": NOBODY}
    made = await make(api, trigger=sent)
    first = ids_of(made["trigger"])
    assert NOBODY not in first
    place = f"/automations/{made['id']}"
    await api.call("PUT", place, automation(trigger=made["trigger"]), status=204)
    second = ids_of((await api.get(place))["trigger"])
    assert set(first).isdisjoint(second)


async def test_a_change_replaces_everything(core: Core, api: Api, clock: ManualClock) -> None:
    made = await make(api, description="d", tags=["a"], enabled=False)
    place = f"/automations/{made['id']}"
    clock.jump(5)
    body = automation(name="new", trigger=TRIGGERS["metric"], actions=[])
    await api.call("PUT", place, body, status=204)
    found = await api.get(place)
    assert (found["name"], found["description"], found["tags"]) == ("new", "", [])
    assert (found["enabled"], found["actions"]) == (True, [])
    assert without_ids(found["trigger"]) == TRIGGERS["metric"]
    assert found["created"] == made["created"]
    assert found["updated"] > made["updated"]
    assert (await events(core))[-1]["payload"] == found


async def test_an_automation_is_put_out_of_force_and_into_it(api: Api) -> None:
    made = await make(api)
    place = f"/automations/{made['id']}"
    for enabled in (False, False, True):
        await api.patch(place, {"enabled": enabled})
        assert (await api.get(place))["enabled"] is enabled
    await api.patch(place, {})
    assert (await api.get(place))["trigger"] == made["trigger"]


async def test_one_that_would_loop_is_kept_out_of_force(api: Api) -> None:
    trigger = {"posture": "Reactive", "expect": ["prefect.flow-run.*"]}
    looping = {"trigger": trigger, "actions": [{"type": "run-deployment", "source": "inferred"}]}
    told = await api.post("/automations/", automation(**looping), status=422)
    assert "infinite loop" in told["exception_detail"][0]["msg"]
    made = await make(api, **looping, enabled=False)
    place = f"/automations/{made['id']}"
    assert "infinite loop" in str(await api.patch(place, {"enabled": True}, status=422))
    await api.call("PUT", place, automation(**looping), status=422)
    assert await api.get(place) == made


async def test_what_nobody_has_is_not_found(api: Api) -> None:
    place = f"/automations/{NOBODY}"
    assert await api.call("GET", place, status=404) == MISSING
    assert await api.call("PUT", place, automation(), status=404) == MISSING
    assert await api.patch(place, {"enabled": True}, status=404) == MISSING
    assert await api.delete(place, status=404) == MISSING


async def test_every_change_is_announced_with_the_automation_as_it_then_is(
    core: Core, api: Api
) -> None:
    made = await make(api)
    place = f"/automations/{made['id']}"
    await api.patch(place, {"enabled": False})
    found = await api.get(place)
    await api.delete(place)
    told = await events(core)
    verbs = [each["event"].removeprefix("prefect.automation.") for each in told]
    assert verbs == ["created", "updated", "deleted"]
    assert [each["payload"] for each in told] == [made, found, found]
    assert {each["resource"]["prefect.resource.id"] for each in told} == {
        f"prefect.automation.{made['id']}"
    }
    assert {each["resource"]["prefect.resource.name"] for each in told} == {"watch"}


async def test_a_refusal_changes_nothing_and_announces_nothing(core: Core, api: Api) -> None:
    told = await api.post("/automations/", automation(trigger={"posture": "x"}), status=422)
    assert told["exception_detail"][0]["loc"] == ["body", "trigger", "posture"]
    for body in ({}, {"name": "n"}, automation(actions=None), automation(name="n" * 501),
                 automation(owner_resource="n" * 501),
                 automation(actions=[run(NOBODY, parameters={"a": "x" * 600_000})])):  # fmt: skip
        await api.post("/automations/", body, status=422)
    assert await api.post("/automations/count") == 0
    assert await names_of_events(core) == []


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (None, ["a", "b", "c"]),
        ({}, ["a", "b", "c"]),
        ({"name": {"any_": ["a", "c", "x"]}}, ["a", "c"]),
        ({"name": {"any_": []}}, []),
        ({"id": {"any_": [NOBODY]}}, []),
        ({"created": {"before_": "2026-01-01T00:00:10Z"}}, None),
        ({"tags": {"all_": ["x", "y"]}}, ["b"]),
        ({"tags": {"any_": ["x", "z"]}}, ["a", "b"]),
        ({"tags": {"is_null_": True}}, ["c"]),
        ({"operator": "or_", "name": {"any_": ["c"]}, "tags": {"all_": ["y"]}}, ["b", "c"]),
    ],
)  # fmt: skip
async def test_a_filter_lets_through_what_it_names(
    api: Api, clock: ManualClock, conditions: Any, expected: list[str] | None
) -> None:
    await make(api, name="b", tags=["y", "x"])
    early = clock.now()
    clock.jump(60)
    await make(api, name="a", tags=["x"])
    await make(api, name="c")
    if expected is None:
        conditions, expected = {"created": {"before_": early.isoformat()}}, ["b"]
    assert names(await api.post("/automations/filter", {"automations": conditions})) == expected
    assert await api.post("/automations/count", {"automations": conditions}) == len(expected)


async def test_lists_are_sorted_and_cut(api: Api, clock: ManualClock) -> None:
    made = {}
    for name in ("b", "a", "c"):
        made[name] = await make(api, name=name)
        clock.jump(1)
    await api.patch(f"/automations/{made['b']['id']}", {"enabled": False})
    for sort, expected in (
        ("NAME_ASC", "abc"), ("NAME_DESC", "cba"), ("CREATED_DESC", "cab"), ("UPDATED_DESC", "bca"),
    ):  # fmt: skip
        found = await api.post("/automations/filter", {"sort": sort})
        assert "".join(names(found)) == expected
    part = await api.post("/automations/filter", {"limit": 1, "offset": 1})
    assert names(part) == ["b"]
    assert await api.post("/automations/filter", {"limit": 0}) == []
    told = await api.post("/automations/filter", {"limit": 201}, status=422)
    assert told == {"detail": "Invalid limit: must be less than or equal to 200."}


async def test_what_a_deployment_owns_is_dropped_and_what_only_runs_it_is_kept(
    core: Core, api: Api
) -> None:
    deployment = (await api.deployment())["id"]
    about = f"prefect.deployment.{deployment}"
    await make(api, name="owned", owner_resource=about, actions=[run(deployment)])
    await make(api, name="owned without running it", owner_resource=about, actions=[])
    kept = await make(api, name="runs it", actions=[run(deployment)])
    await make(api, name="elsewhere", owner_resource="prefect.deployment.x", actions=[])
    related = await api.get(f"/automations/related-to/{about}")
    assert names(related) == ["owned", "owned without running it", "runs it"]

    since = len(await events(core))
    await api.delete(f"/automations/owned-by/{about}", status=202)
    assert await api.get(f"/automations/related-to/{about}") == [kept]
    assert names(await api.post("/automations/filter")) == ["elsewhere", "runs it"]
    assert await names_of_events(core, since=since) == ["automation.deleted"] * 2
    await api.delete(f"/automations/owned-by/{about}", status=202)
    assert await api.get("/automations/related-to/nothing") == []


async def test_what_an_automation_is_about_follows_its_actions(api: Api) -> None:
    flow = await api.flow()
    one, other = [(await api.deployment(flow, name))["id"] for name in ("one", "other")]
    made = await make(api, actions=[run(one)], owner_resource=f"prefect.deployment.{one}")
    body = automation(actions=[run(other), run(other), {"type": "run-deployment",
                                                        "source": "inferred"}])  # fmt: skip
    await api.call("PUT", f"/automations/{made['id']}", body, status=204)
    for deployment in (one, other):
        related = await api.get(f"/automations/related-to/prefect.deployment.{deployment}")
        assert names(related) == ["watch"]
    await api.call("PUT", f"/automations/{made['id']}", automation(), status=204)
    assert await api.get(f"/automations/related-to/prefect.deployment.{other}") == []
    await api.delete(f"/automations/owned-by/prefect.deployment.{one}", status=202)
    assert await api.post("/automations/count") == 0


async def test_a_deleted_automation_leaves_nothing(core: Core, api: Api) -> None:
    made = await make(api, owner_resource="prefect.deployment.x", actions=[run(NOBODY)])
    await api.delete(f"/automations/{made['id']}")
    left = await core.database.read(None).all("select * from automation_resource")
    assert list(left) == []
    assert await core.deletions.family.orphans(core.database.read(None)) == {}


async def test_an_automation_outlives_the_deployment_that_owns_it(api: Api) -> None:
    deployment = (await api.deployment())["id"]
    made = await make(api, owner_resource=f"prefect.deployment.{deployment}")
    await api.delete(f"/deployments/{deployment}")
    assert await api.get(f"/automations/{made['id']}") == made


async def test_job_variables_are_held_against_the_pool_of_the_deployment(api: Api) -> None:
    await api.pool(base_job_template=TEMPLATE)
    flow = await api.flow()
    pooled = (await api.deployment(flow, work_pool_name="pool"))["id"]
    sized = (await api.deployment(flow, "sized", work_pool_name="pool", job_variables={"cpu": 1}))[
        "id"
    ]
    served = (await api.deployment(flow, "served"))["id"]
    wrong = [run(pooled, job_variables={"cpu": "many"}), run(sized, job_variables={"image": 7}),
             run(pooled, job_variables={"image": "i"})]  # fmt: skip
    made = await make(api)
    for send in (
        api.post("/automations/", automation(actions=wrong), status=422),
        api.call("PUT", f"/automations/{made['id']}", automation(actions=wrong), status=422),
    ):
        told = (await send)["detail"]
        assert told.startswith("Error creating automation: ")
        assert told.count("alidation failed") == 3
    right = [run(pooled, job_variables={"cpu": 2}), run(sized, job_variables={"image": "i"}),
             run(served, job_variables={"cpu": "many"}), run(pooled, job_variables={}),
             run(NOBODY), run(NOBODY, job_variables={})]  # fmt: skip
    await make(api, actions=right)
    unknown = automation(actions=[run(NOBODY, job_variables={"a": 1})])
    told = await api.post("/automations/", unknown, status=404)
    assert told == {"detail": "Deployment not found."}


async def test_a_default_of_the_pool_that_is_a_block_is_looked_into(api: Api) -> None:
    kind = await api.post("/block_types/", {"name": "N", "slug": "n"}, status=201)
    body = {"block_type_id": kind["id"], "fields": {"type": "object", "block_type_slug": "n"}}
    schema = await api.post("/block_schemas/", body, status=201)
    document = {"block_type_id": kind["id"], "block_schema_id": schema["id"]}
    block = await api.post("/block_documents/", {**document, "name": "n", "data": {}}, status=201)
    reference = {"$ref": {"block_document_id": block["id"]}}
    properties = {"cpu": {"type": "object", "default": reference}, "n": {"type": "integer"}}
    variables = {"type": "object", "properties": properties, "required": ["cpu"]}
    await api.pool(base_job_template={"job_configuration": {}, "variables": variables})
    deployment = (await api.deployment(work_pool_name="pool"))["id"]
    given = automation(actions=[run(deployment, job_variables={"n": 1})])
    await api.post("/automations/", given, status=201)
    await api.delete(f"/block_documents/{block['id']}")
    assert await api.post("/automations/", given, status=404) == {"detail": "Block not found."}


@pytest.mark.parametrize("path", ["/automations/templates/validate", "/templates/validate"])
async def test_a_template_is_checked(api: Api, path: str) -> None:
    for template in ("", "plain", "{{ flow_run.name | anything }}", "{% for a in b %}{% endfor %}"):
        answer = await api.client.post(f"/api{path}", json=template)
        assert (answer.status_code, answer.content) == (204, b"")
    told = await api.post(path, "one\n{{ two", status=422)
    assert told["error"]["line"] == 2
    assert "end of print statement" in told["error"]["message"]
    assert told["error"]["source"] == "one\n{{ two"
    told = await api.post(path, "{% for a in b %}{% endfor %}" * 11, status=422)
    assert (told["error"]["line"], "11 for loops" in told["error"]["message"]) == (0, True)


async def test_automations_of_another_workspace_are_nobodys(core: Core, api: Api) -> None:
    await add_other_workspace(core)
    other = Api(api.client, OTHER_PREFIX)
    about = "prefect.deployment.x"
    theirs = await make(other, owner_resource=about)
    place = f"/automations/{theirs['id']}"
    await api.call("GET", place, status=404)
    await api.call("PUT", place, automation(), status=404)
    await api.patch(place, {"enabled": False}, status=404)
    await api.delete(place, status=404)
    assert await api.get(f"/automations/related-to/{about}") == []
    await api.delete(f"/automations/owned-by/{about}", status=202)
    assert await api.post("/automations/filter") == []
    assert await other.get(place) == theirs


async def test_a_kept_trigger_is_not_said_twice(api: Api) -> None:
    made = await make(api, trigger={**EVENT, "expect": ["a", "a"]})
    assert made["trigger"]["expect"] == ["a"]
