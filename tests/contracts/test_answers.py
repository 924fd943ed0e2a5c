"""What is answered has the shape the contract gives it; what the contract lets in is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from armillary.api import Routes
from armillary.app import core_routes
from armillary.core import Core
from tests.api import NOBODY, Api
from tests.contracts.contract import check_answer, operations, request_schema, resolve


class Checked(Api):
    """Checks every answer against the contract on its way through."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__(client)
        self.seen: set[tuple[str, str]] = set()

    async def call(
        self, method: str, path: str, body: Any = None, *, status: int = 200, **more: Any
    ) -> Any:
        answer = await super().call(method, path, body, status=status, **more)
        template = self.template(method, path.partition("?")[0])
        check_answer(method, template, status, answer)
        self.seen.add((method, template))
        return answer

    def template(self, method: str, path: str) -> str:
        """The contract's path that a path is one of, the most literal first."""
        segments = path.strip("/").split("/")
        found = [
            each
            for verb, each in operations()
            if verb == method
            and len(each.strip("/").split("/")) == len(segments)
            and each.endswith("/") == path.endswith("/")
            and all(
                part.startswith("{") or part == segment
                for part, segment in zip(each.strip("/").split("/"), segments, strict=True)
            )
        ]
        assert found, f"{method} {path} is not in the contract"
        return min(found, key=lambda each: each.count("{"))


@pytest.fixture
def core_flags() -> Mapping[str, object]:
    return {"plugins.disable": ("ui",)}


@pytest.fixture
def api(client: httpx.AsyncClient) -> Checked:
    return Checked(client)


async def a_world(api: Api) -> dict[str, Any]:
    """One realistic object of each kind, with as many members filled as there are."""
    await api.pool(concurrency_limit=5, description="d")
    await api.queue("fast", concurrency_limit=2, filter={"tags": ["a"]})
    await api.post(
        "/work_pools/pool/workers/heartbeat",
        {"name": "w", "heartbeat_interval_seconds": 30},
        status=204,
    )
    flow = await api.flow(tags=["a"], labels={"n": 1.5, "b": True})
    made = await api.deployment(
        flow, work_pool_name="pool", work_queue_name="fast", concurrency_limit=3,
        concurrency_options={"collision_strategy": "ENQUEUE"}, parameters={"a": None},
        pull_steps=[{"x": {}}], parameter_openapi_schema={"type": "object"}, path="/p",
        entrypoint="f.py:f", version="1", description="d", tags=["t"], labels={"l": "x"},
        schedules=[
            {"schedule": {"cron": "0 0 * * *"}, "slug": "c", "max_scheduled_runs": 3},
            {"schedule": {"interval": 90000, "anchor_date": "2026-01-01T00:00:00Z"}},
            {"schedule": {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin"}},
        ],
    )  # fmt: skip
    run = await api.run(made["id"], parameters={"a": 1}, empirical_policy={"retries": 1})
    task_body = {
        "flow_run_id": run["id"], "task_key": "t", "dynamic_key": "0", "name": "t-0",
        "task_inputs": {"x": [{"input_type": "parameter", "name": "x"}]}, "tags": ["t"],
    }  # fmt: skip
    task = await api.post("/task_runs/", task_body, status=201)
    return {"flow": flow, "deployment": made, "run": run, "task": task}


async def look_at(api: Api, world: dict[str, Any]) -> None:
    flow, made, run, task = (world[name] for name in ("flow", "deployment", "run", "task"))
    for path in (
        "/health", "/version", "/admin/version", "/admin/settings", "/admin/storage", "/hello",
        "/ready", f"/flows/{flow}", "/flows/name/etl", f"/deployments/{made['id']}",
        "/deployments/name/etl/nightly", f"/deployments/{made['id']}/schedules",
        f"/deployments/{made['id']}/work_queue_check", f"/flow_runs/{run['id']}",
        f"/task_runs/{task['id']}", f"/flow_runs/{run['id']}/graph-v2", "/work_pools/pool",
        "/work_pools/pool/queues/fast", f"/work_queues/{made['work_queue_id']}",
        f"/work_queues/{made['work_queue_id']}/status", f"/flow_runs/{run['id']}/input/filter",
        f"/flow_run_states/?flow_run_id={run['id']}", f"/task_run_states/?task_run_id={task['id']}",
        f"/flow_run_states/{run['state_id']}",
    ):  # fmt: skip
        if not path.endswith("/input/filter"):
            await api.get(path)
    for path in (
        "/flows/filter", "/flows/count", "/flows/paginate", "/deployments/filter",
        "/deployments/count", "/deployments/paginate", "/flow_runs/filter", "/flow_runs/count",
        "/flow_runs/paginate", "/flow_runs/lateness", "/task_runs/filter", "/task_runs/count",
        "/task_runs/paginate", "/work_pools/filter", "/work_pools/count", "/work_queues/filter",
        "/work_pools/pool/queues/filter", "/work_pools/pool/workers/filter",
        "/work_pools/pool/concurrency_status", "/work_pools/pool/get_scheduled_flow_runs",
        f"/work_queues/{made['work_queue_id']}/concurrency_status", "/logs/filter",
        f"/work_queues/{made['work_queue_id']}/get_runs", "/events/filter",
        "/flow_runs/bulk_delete", "/deployments/bulk_delete", "/flows/bulk_delete",
        "/variables/filter", "/variables/count", "/saved_searches/filter",
    ):  # fmt: skip
        body = {"limit": 1} if path.endswith("bulk_delete") else {}
        await api.post(path, body)


async def test_what_is_answered_has_the_contracts_shape(api: Checked) -> None:
    world = await a_world(api)
    run, task, made = world["run"], world["task"], world["deployment"]
    await api.post(
        "/logs/",
        [{"name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T12:00:00Z",
          "flow_run_id": run["id"], "task_run_id": task["id"]}],
        status=201,
    )  # fmt: skip
    shown = {
        "key": "k", "type": "table", "description": "d", "data": [1], "metadata_": {"a": "b"},
        "flow_run_id": run["id"], "task_run_id": task["id"],
    }  # fmt: skip
    artifact = await api.post("/artifacts/", shown, status=201)
    for path in ("/artifacts/k/latest", f"/artifacts/{artifact['id']}"):
        await api.get(path)
    for path in ("filter", "count", "latest/filter", "latest/count"):
        await api.post(f"/artifacts/{path}")
    body = {"state": {"type": "PENDING"}}
    await api.post(f"/flow_runs/{run['id']}/set_state", body, status=201)
    await api.post(f"/task_runs/{task['id']}/set_state", body, status=201)
    bulk = {"flow_runs": {"id": {"any_": [run["id"]]}}, "state": {"type": "RUNNING"}}
    await api.post("/flow_runs/bulk_set_state", bulk)
    await api.post(f"/deployments/{made['id']}/create_flow_run/bulk", [{}, {"name": "x"}])
    await api.post("/deployments/get_scheduled_flow_runs", {"deployment_ids": [made["id"]]})
    await look_beside_runs(api)
    await look_at_automations(api)
    await look_at(api, world)


AUTOMATIONS: tuple[dict[str, Any], ...] = (
    {
        "trigger": {"posture": "Proactive", "match_related": [{"a": ["b"]}], "expect": ["e"]},
        "actions": [
            {"type": "run-deployment", "source": "inferred", "parameters": {"a": "{{ event }}"}},
            {"type": "change-flow-run-state", "state": "FAILED"},
            {"type": "pause-work-pool", "work_pool_id": NOBODY},
            {"type": "resume-work-queue", "work_queue_id": NOBODY},
            {"type": "pause-automation", "source": "inferred"},
        ],
    },
    {
        "trigger": {
            "type": "compound", "require": 1, "within": 10,
            "triggers": [{"type": "sequence", "triggers": [], "within": None}],
        },
        "actions": [],
        "actions_on_trigger": [{"type": "call-webhook", "block_document_id": NOBODY}],
        "actions_on_resolve": [
            {"type": "send-notification", "block_document_id": NOBODY, "body": "b"}
        ],
        "tags": ["t"], "owner_resource": "prefect.deployment.x",
    },
)  # fmt: skip


async def look_at_automations(api: Api) -> None:
    for automation in AUTOMATIONS:
        made = await api.post("/automations/", {"name": "watch", **automation}, status=201)
        await api.get(f"/automations/{made['id']}")
        await api.patch(f"/automations/{made['id']}", {"enabled": False})
    assert len(await api.post("/automations/filter")) == 2
    assert await api.post("/automations/count") == 2
    assert len(await api.get("/automations/related-to/prefect.deployment.x")) == 1
    await api.delete("/automations/owned-by/prefect.deployment.x", status=202)


async def look_beside_runs(api: Api) -> None:
    for name, value in (("a", {"x": [1]}), ("b", None), ("c", True)):
        made = await api.post("/variables/", {"name": name, "value": value}, status=201)
        await api.get(f"/variables/{made['id']}")
        await api.get(f"/variables/name/{name}")
    condition = {"object": "o", "property": "p", "type": "t", "operation": "=", "value": None}
    body = {"name": "s", "filters": [condition]}
    saved = await api.call("PUT", "/saved_searches/", body, status=201)
    await api.get(f"/saved_searches/{saved['id']}")
    schema = {"properties": {"rows": {"items": {"type": "integer"}}}, "required": ["n"]}
    await api.post("/ui/schemas/validate", {"schema": schema, "values": {"rows": ["x"]}})


async def test_what_the_contract_allows_is_accepted(core: Core, client: httpx.AsyncClient) -> None:
    """Each optional member of each body, as null and with a fitting value, next to strange ones."""
    api = Api(client)
    world = await a_world(api)
    declared = {
        (route.method, _plain(route.path)) for routes in all_routes(core) for route in routes.http
    }
    values: dict[str, Callable[[], str]] = {
        "/flows/{id}": lambda: world["flow"],
        "/deployments/{id}": lambda: world["deployment"]["id"],
        "/flow_runs/{id}": lambda: world["run"]["id"],
        "/task_runs/{id}": lambda: world["task"]["id"],
    }
    wrong = []
    for method, path in operations():
        schema = request_schema(method, path)
        if (method, path) not in declared or schema is None:
            continue
        members = resolve(schema).get("properties", {})
        required = set(resolve(schema).get("required", ()))
        where = path
        for template, value in values.items():
            if path.startswith(template):
                where = where.replace("{id}", value(), 1)
        where = where.replace("{id}", NOBODY).replace("{name}", "nobody")
        for name in members:
            if required:
                continue
            answer = await client.request(method, f"/api{where}", json={name: None, "strange": 1})
            if answer.status_code in {422, 500}:
                wrong.append(f"{method} {path} {name}: {answer.text[:150]}")
    assert not wrong, "\n".join(wrong)


def all_routes(core: Core) -> list[Routes]:
    handed = core.collect("register_routes", core)
    return [*core_routes(core), *(each for each in handed if isinstance(each, Routes))]


def _plain(path: str) -> str:
    return path.replace(":uuid}", "}")
