"""Work pools, their queues and workers, with how much runs and waits of each."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.db.unit import Reader, Row
from armillary.work_pools.taking import TAKING

CAP = 100
"""Runs counted of a kind; beyond there are only said to be more."""
SHOWN = 100
"""Queues, and workers, shown of a pool."""

_IN_POOL = "work_queue x join flow_run r on r.work_queue_id = x.id where x.work_pool_id = p.id and"
_IN_QUEUE = "flow_run r where r.work_queue_id = q.id and"
_DUE = "r.state_type = 'SCHEDULED' and r.next_scheduled_start_time <= ?"


def _counts(source: str) -> str:
    """Count what runs, what waits, and what of that is late; two arguments, both the present."""
    running = f"(select 1 from {source} {TAKING} limit {CAP + 1}) running"
    due = f"(select r.state_name as name from {source} {_DUE} limit {CAP + 1}) due"
    late = "coalesce(sum(case when due.name = 'Late' then 1 else 0 end), 0)"
    return (
        f"(select count(*) from {running}), (select count(*) from {due}),"
        f" (select {late} from {due})"
    )


_POOL = f"""
select p.id, p.name, p.type, p.description, p.is_paused, p.concurrency_limit, p.created,
  (select count(*) from work_queue x where x.work_pool_id = p.id),
  (select count(*) from worker w where w.work_pool_id = p.id and w.status = 'ONLINE'),
  (select max(w.last_heartbeat_time) from worker w where w.work_pool_id = p.id),
  (select max(x.last_polled) from work_queue x where x.work_pool_id = p.id),
  {_counts(_IN_POOL)},
  (select count(*) from worker w where w.work_pool_id = p.id)
from work_pool p where p.workspace = ?
"""
_NAMED = "and p.name {ilike} ? escape '\\'"
_LIST = f"{_POOL} {_NAMED} {{cut}} order by p.name {{way}} limit ?"
_FIRST = _LIST.replace("{cut}", "").replace("{way}", "asc")
_AFTER = _LIST.replace("{cut}", "and p.name > ?").replace("{way}", "asc")
_BEFORE = _LIST.replace("{cut}", "and p.name < ?").replace("{way}", "desc")
_ONE_POOL = f"{_POOL} and (p.name = ? or p.id = ?) order by p.name = ? desc limit 1"
_ANY = "select 1 from work_pool where workspace = ? limit 1"
_QUEUE = f"""
select q.id, q.name, q.description, q.priority, q.is_paused, q.concurrency_limit, q.last_polled,
  p.name, p.default_queue_id, p.is_paused, {_counts(_IN_QUEUE)}
from work_queue q join work_pool p on p.id = q.work_pool_id
"""
_QUEUES = f"{_QUEUE} where q.work_pool_id = ? and q.workspace = ? order by q.priority, q.id limit ?"
_ONE_QUEUE = f"{_QUEUE} where q.id = ? and q.workspace = ?"
_WORKERS = """
select w.id, w.name, w.status, w.last_heartbeat_time, w.heartbeat_interval_seconds, w.created
from worker w where w.work_pool_id = ? and w.workspace = ?
order by w.last_heartbeat_time desc, w.id limit ?
"""
_HAS_WORKER = "select 1 from worker where id = ? and work_pool_id = ? and workspace = ?"


async def list_pools(  # noqa: PLR0913 - which pools, from where, how many
    reader: Reader,
    pattern: str,
    *,
    limit: int,
    now: int,
    after: str | None = None,
    before: str | None = None,
) -> Sequence[Row]:
    """List pools like a pattern: the first, those behind a name, or backwards from before one."""
    given = (now, now, reader.workspace, pattern)
    if before is not None:
        return await reader.all(_BEFORE, *given, before, limit)
    if after is not None:
        return await reader.all(_AFTER, *given, after, limit)
    return await reader.all(_FIRST, *given, limit)


async def any_pools(reader: Reader) -> bool:
    """Tell whether the workspace has any pool at all."""
    return await reader.one(_ANY, reader.workspace) is not None


async def read_pool(reader: Reader, key: str, *, now: int) -> Row | None:
    """Read a pool by name or id."""
    return await reader.one(_ONE_POOL, now, now, reader.workspace, key, key, key)


async def list_queues(
    reader: Reader, pool_id: str, *, now: int, limit: int = SHOWN
) -> Sequence[Row]:
    """List the first of a pool's queues by priority."""
    return await reader.all(_QUEUES, now, now, pool_id, reader.workspace, limit)


async def read_queue(reader: Reader, queue_id: str, *, now: int) -> Row | None:
    """Read a queue by id."""
    return await reader.one(_ONE_QUEUE, now, now, queue_id, reader.workspace)


async def list_workers(reader: Reader, pool_id: str, *, limit: int = SHOWN) -> Sequence[Row]:
    """List a pool's workers, those heard of last first."""
    return await reader.all(_WORKERS, pool_id, reader.workspace, limit)


async def has_worker(reader: Reader, pool_id: str, worker_id: str) -> bool:
    """Tell whether a pool has a worker."""
    return await reader.one(_HAS_WORKER, worker_id, pool_id, reader.workspace) is not None
