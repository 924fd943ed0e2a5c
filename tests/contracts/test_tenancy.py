"""Two workspaces with equal names: what is asked in one shows and touches nothing of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from armillary.api import Route
from armillary.core import Core
from tests.api import OTHER_KEY, OTHER_PREFIX, Api, add_other_workspace
from tests.contracts.every_route import (
    Request,
    http_routes,
    in_order,
    name_of,
    prefixed,
    request_of,
)
from tests.contracts.repositories import noting_calls, repository_functions
from tests.contracts.world import Rows, World, a_world, ids_in, ids_of, mark_of, rows_with

ABOUT_NOTHING = {
    "GET /automations/related-to/{resource_id}", "DELETE /automations/owned-by/{resource_id}",
    "POST /flow_runs/{id}/input/filter", "GET /flow_runs/{id}/graph",
    "GET /flow-runs/flow-run/{id}", "GET /flow-runs/task-run/{id}",
}  # fmt: skip
"""They answer for ids that nobody has as well: nothing, or where a page is now."""


ELSEWHERE = {
    # services: across workspaces, each row with its own
    "armillary_plugins.artifacts.repository.reading.look_at",
    "armillary_plugins.cancellation_cleanup.repository.child_task_runs",
    "armillary_plugins.cancellation_cleanup.repository.cancelling_since",
    "armillary_plugins.cancellation_cleanup.repository.forgotten",
    "armillary_plugins.cancellation_cleanup.repository.look_again",
    "armillary_plugins.cancellation_cleanup.repository.subflow_runs",
    "armillary_plugins.events.repository.storing.insert_events",
    "armillary_plugins.fail_expired_pauses.repository.paused_after",
    "armillary_plugins.logs.repository.delete_for_flow_run",
    "armillary_plugins.logs.repository.runs_with_logs",
    "armillary_plugins.logs.repository.workspaces",
    "armillary_plugins.mark_crashed_runs.repository.forget",
    "armillary_plugins.mark_crashed_runs.repository.forget_agents",
    "armillary_plugins.mark_crashed_runs.repository.forsaken",
    "armillary_plugins.mark_crashed_runs.repository.give_up",
    "armillary_plugins.mark_crashed_runs.repository.hear_no_later",
    "armillary_plugins.mark_crashed_runs.repository.present",
    "armillary_plugins.mark_late_runs.repository.late_runs",
    "armillary_plugins.scheduler.repository.recent",
    "armillary_plugins.scheduler.repository.wanting",
    "armillary_plugins.work_queue_monitor.repository.deployment_not_ready",
    "armillary_plugins.work_queue_monitor.repository.hear_now",
    "armillary_plugins.work_queue_monitor.repository.lonely_pools",
    "armillary_plugins.work_queue_monitor.repository.pool_not_ready",
    "armillary_plugins.work_queue_monitor.repository.queue_not_ready",
    "armillary_plugins.work_queue_monitor.repository.quiet_deployments",
    "armillary_plugins.work_queue_monitor.repository.quiet_queues",
    "armillary_plugins.work_queue_monitor.repository.workers_offline",
    # the key of what is encrypted, which is the same in every workspace
    "armillary_plugins.blocks.repository.keys.documents_exist",
    "armillary_plugins.blocks.repository.keys.key_token",
    "armillary_plugins.blocks.repository.keys.next_tokens",
    "armillary_plugins.blocks.repository.keys.replace_token",
    "armillary_plugins.blocks.repository.keys.set_key_token",
    "armillary_plugins.blocks.repository.rotation.rotate",
    # streams, which have tests over two workspaces of their own
    "armillary_plugins.event_websockets.repository.stored_pages",
    "armillary_plugins.event_websockets.repository.waiting_events",
    "armillary_plugins.events.repository.finding.events_after",
    "armillary_plugins.logs.repository.arrived",
    "armillary_plugins.logs.repository.count_notable",
    "armillary_plugins.logs.repository.newest_key",
    # the rules of caching, in the test below
    "armillary.task_runs.repository.cached_state",
    "armillary.task_runs.repository.store_cached_state",
}
"""Functions that no request uses, and who does."""


class Two(msgspec.Struct, frozen=True):
    """A workspace that is asked, and another that must not notice."""

    core: Core
    client: httpx.AsyncClient
    ours: World
    other: World
    ids: set[str]
    before: Rows
    said: set[str]
    """What our workspace was told of the other's ids, and may show again."""

    async def ask(self, route: Route, made: Request) -> httpx.Response:
        """Send a request to our workspace."""
        self.said.update(ids_in(made.path, made.body))
        content = {"json": made.body} if made.has_body else {}
        return await self.client.request(made.method, prefixed(route, made.path, "/api"), **content)

    def shown(self, answer: httpx.Response) -> set[str]:
        """What of the other's an answer shows, other than the ids we said ourselves."""
        marks = {mark_of(OTHER_KEY)} if mark_of(OTHER_KEY) in answer.text else set[str]()
        return (self.ids - self.said) & ids_in(answer.text) | marks

    async def changed(self) -> dict[str, set[Any]]:
        """What is different in the other workspace, by table."""
        after = await rows_with(self.core, OTHER_KEY, self.ids)
        tables = self.before.keys() | after.keys()
        return {
            name: set(after[name]) ^ set(self.before[name])
            for name in tables
            if after[name] != self.before[name]
        }


@pytest.fixture
async def two(core: Core, client: httpx.AsyncClient) -> Two:
    await add_other_workspace(core)
    ours = await a_world(core, Api(client))
    other = await a_world(core, Api(client, OTHER_PREFIX), key=OTHER_KEY)
    ids = await ids_of(core, OTHER_KEY)
    assert {other.flow, other.run, other.lease, other.task_state} <= ids
    return Two(core, client, ours, other, ids, await rows_with(core, OTHER_KEY, ids), set())


async def test_objects_of_another_workspace_are_nobodys(two: Two) -> None:
    wrong = []
    for route in in_order(http_routes(two.core)):
        made = request_of(route, two.other)
        answer = await two.ask(route, made)
        name = name_of(route)
        asked = two.ids & ids_in(made.path.partition("?")[0])
        if asked and answer.status_code not in {404, 410} and name not in ABOUT_NOTHING:
            wrong.append(f"{name}: {answer.status_code} {answer.text[:200]}")
        if answer.is_success and two.shown(answer):
            wrong.append(f"{name} shows: {answer.text[:200]}")
        if route.method != "GET":
            changed = await two.changed()
            assert not changed, f"{name} ({answer.status_code}) changes {changed}"
    assert not await two.changed(), "what is only read changes something"
    assert not wrong, "\n".join(wrong)


async def test_what_is_asked_about_ours_shows_nothing_of_others(two: Two) -> None:
    wrong = []
    for route in in_order(http_routes(two.core)):
        made = request_of(route, two.ours)
        empty = Request(made.method, made.path, {}, made.has_body)
        for request in (made, empty):
            answer = await two.ask(route, request)
            if two.shown(answer):
                wrong.append(f"{name_of(route)} shows: {answer.text[:200]}")
            if route.method != "GET":
                changed = await two.changed()
                assert not changed, f"{name_of(route)} ({answer.status_code}) changes {changed}"
    assert not await two.changed(), "what is only read changes something"
    assert not wrong, "\n".join(wrong)


async def test_ours_that_names_one_of_others_has_nothing_of_it(two: Two) -> None:
    wrong = []
    for route in in_order(http_routes(two.core)):
        for made in mixed(request_of(route, two.ours), two):
            answer = await two.ask(route, made)
            if answer.is_success and two.shown(answer):
                wrong.append(f"{name_of(route)} shows: {answer.text[:300]}")
            changed = await two.changed()
            assert not changed, f"{name_of(route)} {made.body} changes {changed}"
            if answer.status_code == 201:
                wrong += await live(two, answer)
    assert not wrong, "\n".join(wrong)
    kept = str(await rows_with(two.core, 1, set()))
    assert mark_of(OTHER_KEY) not in kept, kept[kept.index(mark_of(OTHER_KEY)) - 2000 :][:2100]


async def test_a_key_of_another_workspaces_run_tells_nothing(two: Two) -> None:
    body = {"flow_id": two.other.flow, "idempotency_key": "same"}
    answer = await two.client.post("/api/flow_runs/", json=body)
    assert answer.status_code == 409
    assert await two.changed() == {}


async def test_every_function_of_a_repository_is_asked_over_two(two: Two) -> None:
    """Whoever adds one makes a request that uses it, or says here who else does."""
    with noting_calls() as called:
        for made in besides(two.ours):
            answer = await two.client.request(made.method, made.path, json=made.body)
            assert answer.is_success, answer.text
            assert not two.shown(answer)
        for route in in_order(http_routes(two.core)):
            await two.ask(route, request_of(route, two.other))
            await two.ask(route, request_of(route, two.ours))
    unused = {name for code, name in repository_functions().items() if code not in called}
    assert unused == ELSEWHERE
    assert await two.changed() == {}


def besides(world: World) -> Iterator[Request]:
    """Requests that use what the one in order to the same route does not."""
    schedules = [{"schedule": {"cron": "0 1 * * *"}, "slug": "c"}]
    span = {"since": "2025-12-31T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    yield Request("PATCH", f"/api/deployments/{world.deployment}", {"schedules": schedules})
    for countable in ("resource", "time"):
        path = f"/api/events/count-by/{countable}"
        yield Request("POST", path, {"filter": {"occurred": span}})
    yield Request("GET", "/runs?flow-run-search=nothing-has-this-name")
    yield Request("GET", "/work-pools?name=nothing-has-this-name")
    yield Request("GET", "/flows?name=nothing-has-this-name")
    login = {"default": {"$ref": {"block_document_id": world.block}}}
    variables = {"type": "object", "properties": {"login": login}}
    template = {"job_configuration": {}, "variables": variables}
    pool = {"name": "of-a-block", "type": "process", "base_job_template": template}
    yield Request("POST", "/api/work_pools/", pool)
    asked = {"deployment_ids": [world.deployment]}
    yield Request("POST", "/api/deployments/get_scheduled_flow_runs", asked)


async def test_a_result_of_another_workspace_is_not_found_by_its_key(two: Two) -> None:
    await Api(two.client).set_state(two.ours.run, "RUNNING")
    await Api(two.client, OTHER_PREFIX).set_state(two.other.run, "RUNNING")
    details = {"cache_key": "same"}
    data = {"type": "unpersisted", "storage_key": "theirs", "storage_block_id": None}
    for kind in ("RUNNING", "COMPLETED"):
        state = {"type": kind, "state_details": details, "data": data}
        place = f"{OTHER_PREFIX}/task_runs/{two.other.task}/set_state"
        told = await two.client.post(place, json={"state": state})
        assert told.json()["status"] == "ACCEPT", told.text
    state = {"type": "RUNNING", "state_details": details}
    again = {"flow_run_id": two.other.run, "task_key": "t", "dynamic_key": "1"}
    made = await Api(two.client, OTHER_PREFIX).post("/task_runs/", again, status=201)
    place = f"{OTHER_PREFIX}/task_runs/{made['id']}/set_state"
    told = await two.client.post(place, json={"state": state})
    assert told.json()["state"]["name"] == "Cached"
    place = f"/api/task_runs/{two.ours.task}/set_state"
    told = await two.client.post(place, json={"state": state})
    assert (told.json()["status"], told.json()["state"]["name"]) == ("ACCEPT", "Running")
    assert "theirs" not in told.text


async def live(two: Two, answer: httpx.Response) -> list[str]:
    """Lead a run through its life; what of others' shows or changes on the way."""
    made = answer.json()
    if not isinstance(made, dict) or "state_type" not in made:
        return []
    kind = "flow_runs" if "flow_id" in made else "task_runs"
    wrong = []
    for state in ("PENDING", "RUNNING", "COMPLETED"):
        body = {"state": {"type": state}}
        told = await two.client.post(f"/api/{kind}/{made['id']}/set_state", json=body)
        read = await two.client.get(f"/api/{kind}/{made['id']}")
        if two.shown(told) or two.shown(read):
            wrong.append(f"{kind} {state} shows: {told.text[:200]} {read.text[:800]}")
        changed = await two.changed()
        assert not changed, f"{kind} {state} changes {changed}"
    return wrong


def mixed(made: Request, two: Two) -> Iterator[Request]:
    """The request with one of our ids after the other replaced by the other's."""
    ours, other = msgspec.structs.asdict(two.ours), msgspec.structs.asdict(two.other)
    for name, value in ours.items():
        if value in made.path and len(ids_in(made.path)) > 1:
            path = made.path.replace(value, other[name])
            yield Request(made.method, path, made.body, made.has_body)
        if value in str(made.body):
            body = msgspec.json.encode(made.body).decode().replace(value, other[name])
            yield Request(made.method, made.path, _anew(msgspec.json.decode(body)), made.has_body)


def _anew(body: Any) -> Any:
    """A body that makes something new each time."""
    if isinstance(body, Mapping) and "idempotency_key" in body:
        return {**body, "idempotency_key": str(body)}
    return body
