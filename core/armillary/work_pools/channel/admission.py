"""What a worker's hello does to the database: what the start of a worker over REST does."""

from __future__ import annotations

import msgspec

from armillary.api import Call
from armillary.db.unit import Unit
from armillary.errors import Conflict, Invalid, NotFound
from armillary.ids import Ids
from armillary.work_pools.channel.frames import HelloPayload, Queue
from armillary.work_pools.channel.protocol import Closing, Reason
from armillary.work_pools.repository import pools, workers
from armillary.work_pools.routes.pools import is_reserved, require_pool_name
from armillary.work_pools.schemas import CreateWorkPool

_QUEUES = "select id, name from work_queue where work_pool_id = ? order by priority, id"
_encode = msgspec.json.Encoder().encode


class Admitted(msgspec.Struct, frozen=True):
    """The pool a worker is connected to, and the queues it takes runs from."""

    pool_id: str
    queues: tuple[Queue, ...]


async def admit(call: Call, said: HelloPayload) -> Admitted:
    """Record the worker, make or complete its pool; Closing if it may not work there."""
    name = call.path["name"]
    if said.create_pool_if_not_found:
        await _check_new_pool(call, name, said)
    try:
        return await call.write(lambda unit: _admit(unit, call.core.ids, name, said))
    except (NotFound, Conflict) as error:
        raise Closing(Reason.AUTHORIZATION_FAILED, str(error)) from error


async def _check_new_pool(call: Call, name: str, said: HelloPayload) -> None:
    """Hold the pool a hello would make against the rules for any other."""
    try:
        require_pool_name(name)
        await call.core.blocks.check_new_template(call.read(), said.default_base_job_template)
    except (Invalid, NotFound) as error:
        raise Closing(Reason.AUTHORIZATION_FAILED, str(error)) from error


async def _admit(unit: Unit, ids: Ids, name: str, said: HelloPayload) -> Admitted:
    template = said.default_base_job_template
    row = await unit.one(
        "select id, base_job_template from work_pool where workspace = ? and name = ?",
        unit.workspace,
        name,
    )
    if row is None:
        if not said.create_pool_if_not_found or is_reserved(name):
            message = f"There is no work pool {name!r}, and this worker may not make it."
            raise NotFound(message)
        new = CreateWorkPool(name=name, type=said.worker_type, base_job_template=template)
        await pools.create(unit, ids, new)
    elif template and row[1] == "{}" and not is_reserved(name):
        changes = {"base_job_template": _encode(template).decode()}
        await pools.update(unit, ids, name, changes)
    pool = await pools.find(unit, name)
    queues = [Queue(*row) for row in await unit.all(_QUEUES, pool.id)]
    wanted = set(said.work_queue_names)
    missing = wanted - {queue.name for queue in queues}
    if missing:
        message = f"Work pool {name!r} has no queue {min(missing)!r}."
        raise NotFound(message)
    await workers.heartbeat(
        unit, ids, name, name=said.worker_name, interval=said.heartbeat_interval_seconds
    )
    return Admitted(pool.id, tuple(queue for queue in queues if not wanted or queue.name in wanted))
