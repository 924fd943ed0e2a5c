"""Routes of workers."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.work_pools.repository import workers
from armillary.work_pools.schemas import Heartbeat

routes = Routes(tag="Workers")


@routes.post(
    "/work_pools/{work_pool_name}/workers/heartbeat",
    scope="write_workers",
    answers={204: None},
)
async def heartbeat(call: Call, body: Heartbeat) -> Answer:
    """Record that a worker lives."""
    pool = call.path["work_pool_name"]
    await call.write(
        lambda unit: workers.heartbeat(
            unit, call.core.ids, pool, name=body.name, interval=body.heartbeat_interval_seconds
        )
    )
    return Answer.empty()


@routes.delete("/work_pools/{work_pool_name}/workers/{name}", scope="manage_workers")
async def delete_worker(call: Call) -> Answer:
    """Forget a worker."""
    pool, name = call.path["work_pool_name"], call.path["name"]
    await call.write(lambda unit: workers.delete(unit, pool, name))
    return Answer.empty()
