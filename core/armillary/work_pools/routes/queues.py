"""Routes of work queues, by pool and name, and, as older clients ask, by id."""

from __future__ import annotations

import msgspec

from armillary.api import MAX_PAGE, Answer, Call, Routes, page_limit
from armillary.clock import to_micros
from armillary.db.unit import Unit
from armillary.flow_runs.reading import FlowRunResponse
from armillary.names import require_name
from armillary.orchestration.wire import in_utc
from armillary.paging import at_least
from armillary.work_pools.repository import agents, pools, queues, slots
from armillary.work_pools.repository.queues import AGENT_POOL
from armillary.work_pools.schemas import (
    CreateWorkPool,
    CreateWorkQueue,
    GetQueueConcurrency,
    GetQueueRuns,
    QueueConcurrency,
    QueueStatus,
    UpdateWorkQueue,
    WorkQueue,
)

routes = Routes(tag="Work Queues")
_encode = msgspec.json.Encoder().encode


@routes.post(
    "/work_pools/{work_pool_name}/queues",
    scope="write_work_queues",
    answers={201: WorkQueue},
    refuses=(409,),
)
async def create_queue(call: Call, body: CreateWorkQueue) -> Answer:
    """Create a queue in a work pool."""
    require_name(body.name, "work queue")
    pool = call.path["work_pool_name"]
    await call.write(lambda unit: queues.create(unit, call.core.ids, pool, body))
    return Answer.json(await queues.read(call.read(), pool, body.name), 201)


@routes.get(
    "/work_pools/{work_pool_name}/queues/{name}",
    scope="see_work_queues",
    answers={200: WorkQueue},
)
async def get_queue(call: Call) -> Answer:
    """Read a queue of a work pool."""
    found = await queues.read(call.read(), call.path["work_pool_name"], call.path["name"])
    return Answer.json(found)


@routes.patch(
    "/work_pools/{work_pool_name}/queues/{name}", scope="write_work_queues", refuses=(409,)
)
async def update_queue(call: Call, body: UpdateWorkQueue) -> Answer:
    """Change what is given of a queue."""
    pool, name = call.path["work_pool_name"], call.path["name"]
    changes = queue_changes(body)

    async def work(unit: Unit) -> None:
        await queues.update(unit, call.core.ids, await queues.id_of(unit, pool, name), changes)

    await call.write(work)
    return Answer.empty()


@routes.delete(
    "/work_pools/{work_pool_name}/queues/{name}", scope="manage_work_queues", refuses=(409,)
)
async def delete_queue(call: Call) -> Answer:
    """Delete a queue; runs and deployments keep its name."""
    pool, name = call.path["work_pool_name"], call.path["name"]

    async def work(unit: Unit) -> None:
        queue_id = await queues.id_of(unit, pool, name)
        await queues.delete(unit, call.core.ids, queue_id, call.core.deletions)

    await call.write(work)
    return Answer.empty()


@routes.post("/work_queues/", scope="write_work_queues", answers={201: WorkQueue}, refuses=(409,))
async def create_agent_queue(call: Call, body: CreateWorkQueue) -> Answer:
    """Create a queue in the pool of agents, which is made with its first queue."""
    require_name(body.name, "work queue")

    async def work(unit: Unit) -> str:
        await ensure_agent_pool(call, unit)
        return await queues.create(unit, call.core.ids, AGENT_POOL, body)

    queue_id = await call.write(work)
    return Answer.json(await queues.read_by_id(call.read(), queue_id), 201)


async def ensure_agent_pool(call: Call, unit: Unit) -> None:
    """Make the pool of agents if it is not there."""
    found = await unit.one(
        "select 1 from work_pool where workspace = ? and name = ?", unit.workspace, AGENT_POOL
    )
    if found is None:
        await pools.create(unit, call.core.ids, CreateWorkPool(name=AGENT_POOL, type=pools.AGENT))


@routes.get("/work_queues/{id:uuid}", scope="see_work_queues", answers={200: WorkQueue})
async def get_queue_by_id(call: Call) -> Answer:
    """Read a queue by id."""
    return Answer.json(await queues.read_by_id(call.read(), call.path["id"]))


@routes.get("/work_queues/name/{name}", scope="see_work_queues", answers={200: WorkQueue})
async def get_agent_queue(call: Call) -> Answer:
    """Read a queue of the pool of agents by name."""
    return Answer.json(await queues.read(call.read(), AGENT_POOL, call.path["name"]))


@routes.patch("/work_queues/{id:uuid}", scope="write_work_queues", refuses=(409,))
async def update_queue_by_id(call: Call, body: UpdateWorkQueue) -> Answer:
    """Change what is given of a queue."""
    changes = queue_changes(body)
    queue_id = call.path["id"]
    await call.write(lambda unit: queues.update(unit, call.core.ids, queue_id, changes))
    return Answer.empty()


@routes.delete("/work_queues/{id:uuid}", scope="manage_work_queues", refuses=(409,))
async def delete_queue_by_id(call: Call) -> Answer:
    """Delete a queue."""
    queue_id = call.path["id"]
    core = call.core
    await call.write(lambda unit: queues.delete(unit, core.ids, queue_id, core.deletions))
    return Answer.empty()


@routes.post(
    "/work_queues/{id:uuid}/get_runs",
    scope="write_work_queues",
    answers={200: list[FlowRunResponse]},
)
async def get_runs(call: Call, body: GetQueueRuns) -> Answer:
    """Hand out a queue's runs that are due; a look from the browser is no poll."""
    limit = MAX_PAGE if body.limit is None else page_limit(body.limit)
    before = None if body.scheduled_before is None else to_micros(in_utc(body.scheduled_before))
    reader = call.read()
    queue = await queues.read_by_id(reader, call.path["id"])
    found = await agents.due_runs(reader, queue, before=before, limit=limit, now=call.received)
    if call.headers.get("x-prefect-ui") != "true":
        await call.write(lambda unit: agents.record_poll(unit, call.core.ids, queue))
    return Answer.json(found)


@routes.get("/work_queues/{id:uuid}/status", scope="see_work_queues", answers={200: QueueStatus})
async def get_queue_status(call: Call) -> Answer:
    """Tell whether a queue is polled and free of late runs."""
    reader = call.read()
    queue = await queues.read_by_id(reader, call.path["id"])
    return Answer.json(await agents.status(reader, queue, now=call.core.clock.now()))


@routes.post(
    "/work_queues/{id:uuid}/concurrency_status",
    scope="see_work_queues",
    answers={200: QueueConcurrency},
)
async def queue_concurrency(call: Call, body: GetQueueConcurrency) -> Answer:
    """Show which runs take the queue's slots."""
    reader = call.read()
    found = await slots.of_queue(
        reader,
        await queues.read_by_id(reader, call.path["id"]),
        page=at_least(body.page, 1, "page"),
        limit=page_limit(body.limit),
        now=call.received,
    )
    return Answer.json(found)


def queue_changes(body: UpdateWorkQueue) -> dict[str, object]:
    """Shape what a request changes for the columns."""
    changes: dict[str, object] = {}
    if isinstance(body.name, str):
        require_name(body.name, "work queue")
        changes["name"] = body.name
    if body.description is not msgspec.UNSET:
        changes["description"] = body.description or ""
    if isinstance(body.is_paused, bool):
        changes["is_paused"] = int(body.is_paused)
    if body.concurrency_limit is not msgspec.UNSET:
        changes["concurrency_limit"] = body.concurrency_limit
    if isinstance(body.priority, int):
        changes["priority"] = body.priority
    if body.last_polled not in (msgspec.UNSET, None):
        changes["last_polled"] = to_micros(in_utc(body.last_polled))
    if body.filter is not msgspec.UNSET:
        changes["filter"] = None if body.filter is None else _encode(body.filter).decode()
    return changes
