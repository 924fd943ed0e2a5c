"""Lists of work pools, queues and workers."""

from __future__ import annotations

from armillary.db.filters import Condition
from armillary.db.unit import Reader
from armillary.work_pools.repository import pools as pool_rows
from armillary.work_pools.repository import queues as queue_rows
from armillary.work_pools.repository import workers as worker_rows
from armillary.work_pools.schemas import Worker, WorkPool, WorkQueue


async def pools(reader: Reader, condition: Condition, *, limit: int, offset: int) -> list[WorkPool]:
    """List pools by name."""
    rows = await reader.all(
        f"select {pool_rows.COLUMNS} from work_pool p where p.workspace = ? and {condition.sql} "
        "order by p.name, p.id limit ? offset ?",
        reader.workspace,
        *condition.args,
        limit,
        offset,
    )
    return [pool_rows.pool_from_row(row) for row in rows]


async def count_pools(reader: Reader, condition: Condition) -> int:
    """Count pools."""
    found = await reader.value(
        f"select count(*) from work_pool p where p.workspace = ? and {condition.sql}",
        reader.workspace,
        *condition.args,
    )
    return int(found)


async def queues(
    reader: Reader, pool: str, condition: Condition, *, limit: int, offset: int
) -> list[WorkQueue]:
    """List a pool's queues by priority; NotFound without the pool."""
    rows = await reader.all(
        f"select {queue_rows.COLUMNS} from work_queue q join work_pool p on p.id = q.work_pool_id "
        f"where p.workspace = ? and p.name = ? and {condition.sql} "
        "order by q.priority, q.id limit ? offset ?",
        reader.workspace,
        pool,
        *condition.args,
        limit,
        offset,
    )
    if not rows:
        await pool_rows.find(reader, pool)
    return [queue_rows.queue_from_row(row) for row in rows]


async def all_queues(
    reader: Reader, condition: Condition, *, limit: int, offset: int
) -> list[WorkQueue]:
    """List the queues of every pool by name."""
    rows = await reader.all(
        f"select {queue_rows.COLUMNS} from work_queue q join work_pool p on p.id = q.work_pool_id "
        f"where q.workspace = ? and {condition.sql} order by q.name, q.id limit ? offset ?",
        reader.workspace,
        *condition.args,
        limit,
        offset,
    )
    return [queue_rows.queue_from_row(row) for row in rows]


async def workers(
    reader: Reader, pool: str, condition: Condition, *, limit: int, offset: int
) -> list[Worker]:
    """List a pool's workers, those heard of last first; NotFound without the pool."""
    found = await pool_rows.find(reader, pool)
    rows = await reader.all(
        f"select {worker_rows.COLUMNS} from worker w where w.work_pool_id = ? and {condition.sql} "
        "order by w.last_heartbeat_time desc, w.id limit ? offset ?",
        found.id,
        *condition.args,
        limit,
        offset,
    )
    return [worker_rows.worker_from_row(row) for row in rows]
