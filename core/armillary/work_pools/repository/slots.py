"""Which runs take the slots of queues and pools, and how many they are."""

from __future__ import annotations

from collections.abc import Iterable

from armillary.clock import maybe_moment
from armillary.db.filters import json_list
from armillary.db.unit import Reader, Row
from armillary.work_pools.repository import pools
from armillary.work_pools.schemas import (
    PoolConcurrency,
    QueueConcurrency,
    QueueSlots,
    SlotHolder,
    WorkQueue,
)
from armillary.work_pools.taking import HOLDING, TAKING

_TAKEN = f"""
select r.work_queue_id, count(*) from flow_run r
where r.work_queue_id {{in_list}} and {TAKING} group by r.work_queue_id
"""
_COLUMNS = "r.id, r.name, r.state_type, r.state_name, r.start_time, r.state_timestamp"
_TAKERS = f"""
select {_COLUMNS} from flow_run r where r.work_queue_id = ? and {TAKING}
order by r.state_timestamp, r.id limit ?
"""
_HOLDERS = f"""
select {_COLUMNS} from flow_run r where r.work_queue_id = ? and {HOLDING}
order by r.state_timestamp, r.id limit ? offset ?
"""
_COUNT_HOLDERS = f"select count(*) from flow_run r where r.work_queue_id = ? and {HOLDING}"
_QUEUES = """
select id, name, concurrency_limit from work_queue where work_pool_id = ? order by priority, id
"""


async def taken(reader: Reader, queue_ids: Iterable[str]) -> dict[str, int]:
    """Count the slots taken by queue; queues without any are left out."""
    return {row[0]: row[1] for row in await reader.all(_TAKEN, json_list(queue_ids))}


async def of_pool(  # noqa: PLR0913 - one look, all its bounds
    reader: Reader, name: str, *, page: int, limit: int, runs: int, now: int
) -> PoolConcurrency:
    """Show who takes a pool's slots, by queue: a page of queues, of each the oldest ``runs``."""
    pool = await pools.read(reader, name)
    rows = await reader.all(_QUEUES, pool.id)
    by_queue = await taken(reader, (row[0] for row in rows))
    shown = rows[(page - 1) * limit : page * limit]
    return PoolConcurrency(
        active_slots=sum(by_queue.values()),
        concurrency_limit=pool.concurrency_limit,
        queues=[
            QueueSlots(
                queue_id=row[0],
                queue_name=row[1],
                active_slots=by_queue.get(row[0], 0),
                concurrency_limit=row[2],
                flow_runs=[_holder(run, now) for run in await reader.all(_TAKERS, row[0], runs)],
                flow_run_count=by_queue.get(row[0], 0),
            )
            for row in shown
        ],
        count=len(rows),
        limit=limit,
        pages=-(-len(rows) // limit) if limit else 0,
        page=page,
    )


async def of_queue(
    reader: Reader, queue: WorkQueue, *, page: int, limit: int, now: int
) -> QueueConcurrency:
    """Show a page of the runs that a queue's limit is about; those being cancelled as well."""
    count = int(await reader.value(_COUNT_HOLDERS, queue.id))
    rows = await reader.all(_HOLDERS, queue.id, limit, (page - 1) * limit)
    return QueueConcurrency(
        active_slots=count,
        concurrency_limit=queue.concurrency_limit,
        flow_runs=[_holder(row, now) for row in rows],
        count=count,
        limit=limit,
        pages=-(-count // limit) if limit else 0,
        page=page,
    )


def _holder(row: Row, now: int) -> SlotHolder:
    return SlotHolder(
        id=row[0],
        name=row[1],
        state_type=row[2],
        state_name=row[3],
        start_time=maybe_moment(row[4]),
        state_timestamp=maybe_moment(row[5]),
        time_in_current_state=None if row[5] is None else max(0.0, (now - row[5]) / 1e6),
    )
