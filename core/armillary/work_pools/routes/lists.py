"""Routes that list and count work pools, queues and workers."""

from __future__ import annotations

from armillary.api import Answer, Body, Call, OrDefault, Routes, page_limit
from armillary.db.filters import TRUE, Condition
from armillary.paging import at_least
from armillary.work_pools.filters import WorkerFilter, WorkPoolFilter, WorkQueueFilter
from armillary.work_pools.repository import lists
from armillary.work_pools.schemas import Worker, WorkPool, WorkQueue

routes = Routes(tag="Work Pools")


class FilterWorkPools(Body):
    """Which work pools to list."""

    work_pools: WorkPoolFilter | None = None
    offset: OrDefault[int] = 0
    limit: int | None = None


class CountWorkPools(Body):
    """Which work pools to count."""

    work_pools: WorkPoolFilter | None = None


class FilterWorkQueues(Body):
    """Which work queues to list."""

    work_queues: WorkQueueFilter | None = None
    offset: OrDefault[int] = 0
    limit: int | None = None


class FilterWorkers(Body):
    """Which workers to list."""

    workers: WorkerFilter | None = None
    offset: OrDefault[int] = 0
    limit: int | None = None


@routes.post("/work_pools/filter", scope="see_work_pools", answers={200: list[WorkPool]})
async def filter_work_pools(call: Call, body: FilterWorkPools) -> Answer:
    """List work pools by name."""
    condition = body.work_pools.on("p") if body.work_pools else TRUE
    found = await lists.pools(
        call.read(), condition, limit=page_limit(body.limit), offset=checked(body.offset)
    )
    return Answer.json(found)


@routes.post("/work_pools/count", scope="see_work_pools", answers={200: int})
async def count_work_pools(call: Call, body: CountWorkPools) -> Answer:
    """Count work pools."""
    condition = body.work_pools.on("p") if body.work_pools else TRUE
    return Answer.json(await lists.count_pools(call.read(), condition))


@routes.post(
    "/work_pools/{work_pool_name}/queues/filter",
    scope="see_work_queues",
    answers={200: list[WorkQueue]},
)
async def filter_queues(call: Call, body: FilterWorkQueues) -> Answer:
    """List a pool's queues by priority."""
    condition = body.work_queues.on("q") if body.work_queues else TRUE
    found = await lists.queues(
        call.read(),
        call.path["work_pool_name"],
        condition,
        limit=page_limit(body.limit),
        offset=checked(body.offset),
    )
    return Answer.json(found)


@routes.post("/work_queues/filter", scope="see_work_queues", answers={200: list[WorkQueue]})
async def filter_all_queues(call: Call, body: FilterWorkQueues) -> Answer:
    """List the queues of every pool by name."""
    condition = body.work_queues.on("q") if body.work_queues else TRUE
    found = await lists.all_queues(
        call.read(), condition, limit=page_limit(body.limit), offset=checked(body.offset)
    )
    return Answer.json(found)


@routes.post(
    "/work_pools/{work_pool_name}/workers/filter",
    scope="see_workers",
    answers={200: list[Worker]},
)
async def filter_workers(call: Call, body: FilterWorkers) -> Answer:
    """List a pool's workers, those heard of last first."""
    condition: Condition = body.workers.on("w") if body.workers else TRUE
    found = await lists.workers(
        call.read(),
        call.path["work_pool_name"],
        condition,
        limit=page_limit(body.limit),
        offset=checked(body.offset),
    )
    return Answer.json(found)


def checked(offset: int) -> int:
    """Return an offset that is not negative, nor too large for any database."""
    return at_least(offset, 0, "offset")
