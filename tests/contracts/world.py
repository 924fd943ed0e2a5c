"""A workspace with one object of each kind; two of them have the same names, no ids in common."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

from armillary.core import Core
from armillary.db.dialect import Dialect
from armillary.db.unit import Unit
from armillary.jobs import Wanted
from armillary.jobs.store import enqueue
from armillary_plugins.events import tokens
from armillary_plugins.events.schemas import EventFilter
from tests.api import NOBODY, Api
from tests.plugins.events.samples import START, event, store

TABLES = {
    Dialect.SQLITE: "select name from sqlite_schema where type = 'table' and name not like 'sq%'",
    Dialect.POSTGRES: "select tablename from pg_tables where schemaname = 'public'",
}
_WITH_KEY = {
    Dialect.SQLITE: """select m.name from sqlite_schema m, pragma_table_info(m.name) c
        where m.type = 'table' and c.name = 'workspace'""",
    Dialect.POSTGRES: """select table_name from information_schema.columns
        where table_schema = 'public' and column_name = 'workspace'""",
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Rows = dict[str, list[tuple[Any, ...]]]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of a workspace's objects."""

    flow: str
    deployment: str
    schedule: str
    run: str
    state: str
    task: str
    task_state: str
    pool: str
    queue: str
    worker: str
    limit: str
    tag_limit: str
    lease: str
    event: str
    variable: str
    saved_search: str
    page_token: str
    job: str
    block_type: str
    block_schema: str
    checksum: str
    block: str
    automation: str
    artifact: str


def mark_of(key: int) -> str:
    """What only objects of one workspace bear: names are the same in both, tags are not."""
    return f"mark-of-{key}"


async def a_world(core: Core, api: Api, *, key: int = 1) -> World:
    """Make it: runs that wait, with inputs, logs and events."""
    made = await a_world_over(api, mark_of(key))
    happened = event(1000 + key, resource=happened_to(made.run))
    await store(core, happened, workspace=key)
    return msgspec.structs.replace(made, event=str(happened.id), job=await _dead_job(core, key))


def happened_to(run: str) -> dict[str, str]:
    """What the events of a world are about."""
    return {"prefect.resource.id": f"prefect.flow-run.{run}"}


async def a_world_over(api: Api, mark: str) -> World:
    """Make what can be made over HTTP alone: without an event and a dead job."""
    pool = await api.pool(concurrency_limit=5, description=mark)
    queue = await api.queue("fast", concurrency_limit=2)
    await api.post("/work_queues/", {"name": "fast"}, status=201)
    heartbeat = {"name": "w", "heartbeat_interval_seconds": 30}
    await api.post("/work_pools/pool/workers/heartbeat", heartbeat, status=204)
    [worker] = await api.post("/work_pools/pool/workers/filter")
    flow = await api.flow(tags=["a", mark])
    made = await api.deployment(
        flow, work_pool_name="pool", work_queue_name="fast", tags=["t", mark], concurrency_limit=4,
        description=mark,
        schedules=[{"schedule": {"cron": "0 0 * * *"}, "slug": "c"}],
    )  # fmt: skip
    run = await api.run(made["id"], tags=["a", mark], idempotency_key="same")
    await api.post(f"/flow_runs/{run['id']}/input", {"key": "k", "value": "1"}, status=201)
    tag_limit = await api.post(
        "/concurrency_limits/", {"tag": "t", "concurrency_limit": 9}, status=201
    )
    body = {
        "flow_run_id": run["id"], "task_key": "t", "dynamic_key": "0", "name": "t-0",
        "tags": ["t", mark], "cache_key": "same", "state": {"type": "PENDING"},
    }  # fmt: skip
    task = await api.post("/task_runs/", body, status=201)
    limit = await api.post("/v2/concurrency_limits/", {"name": "slots", "limit": 90}, status=201)
    taken = await api.post(
        "/v2/concurrency_limits/increment-with-lease",
        {"slots": 2, "names": ["slots"], "holder": {"type": "flow_run", "id": run["id"]}},
    )
    line = {
        "name": "n", "level": 20, "message": mark, "timestamp": "2026-01-01T12:00:00Z",
        "flow_run_id": run["id"], "task_run_id": task["id"],
    }  # fmt: skip
    await api.post("/logs/", [line], status=201)
    shown = {"key": "k", "type": "markdown", "data": mark, "flow_run_id": run["id"]}
    artifact = await api.post("/artifacts/", {**shown, "task_run_id": task["id"]}, status=201)
    variable = await api.post(
        "/variables/", {"name": "region", "value": mark, "tags": ["t", mark]}, status=201
    )
    condition = {"object": "o", "property": "p", "type": "t", "operation": "=", "value": mark}
    body = {"name": "same", "filters": [condition]}
    search = await api.call("PUT", "/saved_searches/", body, status=201)
    watched = {
        "name": "watch", "tags": ["t", mark],
        "trigger": {"posture": "Reactive", "match": {"a": mark}},
        "actions": [{"type": "run-deployment", "deployment_id": made["id"]}],
        "owner_resource": made["id"],
    }  # fmt: skip
    automation = await api.post("/automations/", watched, status=201)
    block = await _block(api, mark)
    return World(
        flow=flow, deployment=made["id"], schedule=made["schedules"][0]["id"], run=run["id"],
        state=run["state_id"], task=task["id"], task_state=task["state_id"], pool=pool["id"],
        queue=queue["id"], worker=worker["id"], limit=limit["id"], tag_limit=tag_limit["id"],
        lease=taken["lease_id"],
        event=NOBODY, variable=variable["id"], saved_search=search["id"],
        page_token=_token(), job=NOBODY,
        block_type=block["block_type_id"], block_schema=block["block_schema_id"],
        checksum=block["block_schema"]["checksum"], block=block["id"],
        automation=automation["id"],
        artifact=artifact["id"],
    )  # fmt: skip


async def _block(api: Api, mark: str) -> dict[str, Any]:
    """A document within a type and a schema of its own."""
    made = await api.post(
        "/block_types/", {"name": "Creds", "slug": "creds", "description": mark}, status=201
    )
    fields = {"title": "Creds", "block_type_slug": "creds", "secret_fields": ["p"], "m": mark}
    able = ["sing", "write-path", mark]
    body = {"block_type_id": made["id"], "fields": fields, "capabilities": able}
    schema = await api.post("/block_schemas/", {**body, "version": "1"}, status=201)
    document = {
        "name": "mine", "block_type_id": made["id"], "block_schema_id": schema["id"],
        "data": {"x": mark, "p": mark},
    }  # fmt: skip
    return await api.post("/block_documents/", document, status=201)


async def _dead_job(core: Core, key: int) -> str:
    """A job that used up its attempts."""
    wanted = Wanted(
        id=core.ids.uuid4(), queue="none", job="dig", key=mark_of(key),
        arguments={"deep": mark_of(key)},
    )  # fmt: skip

    async def work(unit: Unit) -> None:
        await enqueue(unit, wanted)
        await unit.run("update job set state = 'dead', error = ? where id = ?",
                       mark_of(key), wanted.id)  # fmt: skip

    await core.database.write(work, workspace=key)
    return wanted.id


def _token() -> str:
    since = int(START.timestamp()) * 1_000_000
    return tokens.written(
        tokens.PageToken(
            EventFilter(),
            since=since - 10**12,
            until=since + 10**12,
            count=9,
            page_size=5,
            offset=0,
        )
    )


async def rows_of(core: Core, *, besides: Collection[str] = ()) -> Rows:
    """Everything that is stored, by table, in an order of its own; not of tables ``besides``."""
    reader = core.database.read(None)
    tables = await reader.all(TABLES[core.database.dialect])
    found = {}
    for (name,) in sorted(map(tuple, tables)):
        if name in besides:
            continue
        rows = await reader.all(f'select * from "{name}"')
        found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


async def ids_of(core: Core, key: int) -> set[str]:
    """Every id that occurs in rows of one workspace and in none of others."""
    own, others = set[str](), set[str]()
    reader = core.database.read(None)
    for (name,) in map(tuple, await reader.all(_WITH_KEY[core.database.dialect])):
        for row in await reader.all(f'select workspace, t.* from "{name}" t'):
            (own if row[0] == key else others).update(ids_in(*row))
    return own - others


async def rows_with(core: Core, key: int, ids: set[str]) -> Rows:
    """What belongs to a workspace: by its key, or, in tables without it, by a column."""
    reader = core.database.read(None)
    keyed = [name for (name,) in map(tuple, await reader.all(_WITH_KEY[core.database.dialect]))]
    found = {
        name: [row for row in rows if not ids.isdisjoint(row)]
        for name, rows in (await rows_of(core, besides=keyed)).items()
    }
    for name in keyed:
        rows = await reader.all(f'select * from "{name}" where workspace = ?', key)
        found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def ids_in(*values: object) -> set[str]:
    """Every uuid that occurs in these."""
    return set(_UUID.findall(" ".join(map(str, values))))
