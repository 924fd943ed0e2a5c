"""Routes of work pools, and the one workers poll."""

from __future__ import annotations

import msgspec

from armillary.api import MAX_PAGE, Answer, Call, Routes, page_limit
from armillary.db.unit import Unit
from armillary.deployments.job_variables import check_job_template
from armillary.errors import Invalid, Refused
from armillary.names import require_name
from armillary.orchestration.wire import in_utc
from armillary.paging import at_least
from armillary.work_pools.repository import polling, pools, slots
from armillary.work_pools.schemas import (
    CreateWorkPool,
    GetPoolConcurrency,
    GetScheduledRuns,
    PoolConcurrency,
    UpdateWorkPool,
    WorkerRun,
    WorkPool,
)

routes = Routes(tag="Work Pools")
_encode = msgspec.json.Encoder().encode
_RESERVED_MAY_CHANGE = frozenset({"is_paused", "concurrency_limit"})


@routes.post("/work_pools/", scope="write_work_pools", answers={201: WorkPool}, refuses=(404, 409))
async def create_work_pool(call: Call, body: CreateWorkPool) -> Answer:
    """Create a work pool with its default queue."""
    if is_reserved(body.name):
        raise Refused(403, "Work pools starting with 'Prefect' are reserved for internal use.")
    require_pool_name(body.name)
    await call.core.blocks.check_new_template(call.read(), body.base_job_template)
    await call.write(lambda unit: pools.create(unit, call.core.ids, body))
    return Answer.json(await pools.read(call.read(), body.name), 201)


@routes.get("/work_pools/{name}", scope="see_work_pools", answers={200: WorkPool})
async def get_work_pool(call: Call) -> Answer:
    """Read a work pool by name."""
    return Answer.json(await pools.read(call.read(), call.path["name"]))


@routes.patch("/work_pools/{name}", scope="write_work_pools")
async def update_work_pool(call: Call, body: UpdateWorkPool) -> Answer:
    """Change what is given of a work pool."""
    name = call.path["name"]
    changes = pool_changes(body)
    if is_reserved(name) and not set(changes) <= _RESERVED_MAY_CHANGE:
        raise Refused(
            403,
            "Work pools starting with 'Prefect' are reserved: only is_paused and "
            "concurrency_limit can change.",
        )
    if isinstance(body.base_job_template, dict):
        check_job_template(body.base_job_template, defaults=False)
    await call.write(lambda unit: pools.update(unit, call.core.ids, name, changes))
    return Answer.empty()


def pool_changes(body: UpdateWorkPool) -> dict[str, object]:
    """Shape what a request changes for the columns."""
    changes: dict[str, object] = {}
    if body.description is not msgspec.UNSET:
        changes["description"] = body.description
    if isinstance(body.is_paused, bool):
        changes["is_paused"] = int(body.is_paused)
    if isinstance(body.base_job_template, dict):
        changes["base_job_template"] = _encode(body.base_job_template).decode()
    if body.concurrency_limit is not msgspec.UNSET:
        changes["concurrency_limit"] = body.concurrency_limit
    if body.storage_configuration not in (msgspec.UNSET, None):
        changes["storage_configuration"] = _encode(body.storage_configuration).decode()
    return changes


@routes.delete("/work_pools/{name}", scope="manage_work_pools")
async def delete_work_pool(call: Call) -> Answer:
    """Delete a work pool with its queues and workers."""
    name = call.path["name"]
    if is_reserved(name):
        raise Refused(403, "Work pools starting with 'Prefect' are reserved for internal use.")
    core = call.core
    await call.write(lambda unit: pools.delete(unit, core.ids, name, core.deletions))
    return Answer.empty()


@routes.post(
    "/work_pools/{name}/get_scheduled_flow_runs",
    scope="write_work_queues",
    answers={200: list[WorkerRun]},
    hot=True,
)
async def get_scheduled_flow_runs(call: Call, body: GetScheduledRuns) -> Answer:
    """Hand out the runs of a pool that are due, by priority and time."""
    reader = call.read()
    polled = await polling.look_up(reader, call.path["name"], body.work_queue_names)
    limit = MAX_PAGE if body.limit is None else page_limit(body.limit)
    found = await polling.due_runs(
        reader,
        polled,
        before=None if body.scheduled_before is None else in_utc(body.scheduled_before),
        after=None if body.scheduled_after is None else in_utc(body.scheduled_after),
        limit=limit,
        now=call.received,
    )
    await record_poll(call, polled)
    return Answer.json(found)


@routes.post(
    "/work_pools/{name}/concurrency_status",
    scope="see_work_pools",
    answers={200: PoolConcurrency},
)
async def pool_concurrency(call: Call, body: GetPoolConcurrency) -> Answer:
    """Show which runs take the pool's slots, by queue."""
    found = await slots.of_pool(
        call.read(),
        call.path["name"],
        page=at_least(body.page, 1, "page"),
        limit=page_limit(body.limit),
        runs=body.flow_run_limit,
        now=call.received,
    )
    return Answer.json(found)


async def record_poll(call: Call, polled: polling.Polled) -> None:
    """Mark the polled queues, unless that was done a moment ago."""
    stale = polling.unrecorded(polled, call.received)
    if not stale:
        return

    async def work(unit: Unit) -> None:
        await polling.record_poll(unit, call.core.ids, polled.pool, stale)

    await call.write(work)


def is_reserved(name: str) -> bool:
    """Tell whether a pool's name belongs to the system."""
    return name.lower().startswith("prefect")


def require_pool_name(name: str) -> None:
    """Raise Invalid for a name no pool may have."""
    require_name(name, "work pool")
    if not name.strip(" '\""):
        message = "A work pool's name must not be only blanks or quotes."
        raise Invalid(message, loc=("body", "name"))
