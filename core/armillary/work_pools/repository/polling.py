"""Which runs a worker, a runner or an agent is given, and what being polled means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from armillary.clock import from_micros, maybe_micros, maybe_moment
from armillary.db.unit import Reader, Row, Unit
from armillary.errors import NotFound
from armillary.events.envelope import Event
from armillary.flow_runs.reading import estimated_run_time, lateness
from armillary.ids import Ids
from armillary.orchestration.wire import NULL
from armillary.work_pools.events import PoolRef, QueueRef, emit_queue
from armillary.work_pools.repository import slots
from armillary.work_pools.schemas import PollableRun, WorkerRun

_EVER = 1 << 62
_COLUMNS = """
r.id, r.created, r.updated, r.name, r.flow_id, r.state_id, r.deployment_id, r.deployment_version,
r.work_queue_name, r.flow_version, r.parameters, r.idempotency_key, r.context, r.empirical_policy,
r.tags, r.labels, r.parent_task_run_id, r.state_type, r.state_name, r.run_count,
r.expected_start_time, r.next_scheduled_start_time, r.start_time, r.end_time, r.total_run_time,
r.auto_scheduled, r.infrastructure_document_id, r.infrastructure_pid, r.created_by,
r.work_queue_id, r.job_variables, r.state_timestamp
"""
_DUE = f"""
select {_COLUMNS} from flow_run r
where r.work_queue_id = ? and r.state_type = 'SCHEDULED'
  and (r.retry_type is null or r.retry_type <> 'in_process')
  and r.next_scheduled_start_time >= ? and r.next_scheduled_start_time <= ?
order by r.next_scheduled_start_time, r.id limit ?
"""
_POOL = """
select id, name, type, is_paused, concurrency_limit from work_pool where workspace = ? and name = ?
"""
_QUEUES = """
select id, name, is_paused, concurrency_limit, last_polled, status from work_queue
where work_pool_id = ? order by priority, id
"""
_STALE_QUEUES = """
select id, name, status from work_queue
where id {in_list} and (last_polled is null or last_polled < ? or status = 'NOT_READY')
order by id {for_update}
"""
_POLLED_QUEUE = """
update work_queue set last_polled = ?, updated = ?,
  status = case when status = 'PAUSED' then status else 'READY' end where id = ?
"""
_OF_QUEUE = "d.work_queue_id = ?"
_NAMED = "d.workspace = ? and d.id {in_list}"
_WAKING = """
select d.id, d.name, d.flow_id, (select f.name from flow f where f.id = d.flow_id)
from deployment d where %s and d.status <> 'READY' order by d.id {for_update}
"""
# `updated` stays: being polled is no change of the deployment.
_POLLED = """
update deployment as d set last_polled = ?, status = 'READY'
where %s and (d.last_polled is null or d.last_polled < ? or d.status <> 'READY')
"""
_WAKING_OF_QUEUE, _WAKING_NAMED = _WAKING % _OF_QUEUE, _WAKING % _NAMED
_POLLED_OF_QUEUE, _POLLED_NAMED = _POLLED % _OF_QUEUE, _POLLED % _NAMED
FRESH = 5_000_000
"""Microseconds within which a poll is not recorded again, however many workers there are."""
_encode = msgspec.json.Encoder().encode


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue, as polling sees it."""

    id: str
    name: str
    is_paused: bool
    concurrency_limit: int | None
    last_polled: int | None
    status: str


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """A pool and those of its queues a worker asked about."""

    pool: PoolRef
    is_paused: bool
    concurrency_limit: int | None
    every: tuple[Queue, ...]
    queues: tuple[Queue, ...]

    @property
    def is_limited(self) -> bool:
        """Whether anything here has a limit."""
        return self.concurrency_limit is not None or any(
            queue.concurrency_limit is not None for queue in self.queues
        )


async def look_up(reader: Reader, pool_name: str, names: Sequence[str] | None) -> Polled:
    """Find a pool and the named queues, or all; NotFound if one is not there."""
    row = await reader.one(_POOL, reader.workspace, pool_name)
    if row is None:
        message = f"Work pool {pool_name!r} not found."
        raise NotFound(message)
    every = tuple(
        Queue(
            id=each[0],
            name=each[1],
            is_paused=bool(each[2]),
            concurrency_limit=each[3],
            last_polled=each[4],
            status=each[5],
        )
        for each in await reader.all(_QUEUES, row[0])
    )
    by_name = {queue.name: queue for queue in every}
    missing = [name for name in names or () if name not in by_name]
    if missing:
        message = f"Work queue {missing[0]!r} of work pool {pool_name!r} not found."
        raise NotFound(message)
    wanted = set(names or by_name)
    return Polled(
        pool=PoolRef(id=row[0], name=row[1], type=row[2]),
        is_paused=bool(row[3]),
        concurrency_limit=row[4],
        every=every,
        queues=tuple(queue for queue in every if queue.name in wanted),
    )


async def due_runs(  # noqa: PLR0913 - one query, all its bounds
    reader: Reader,
    polled: Polled,
    *,
    before: datetime | None,
    after: datetime | None,
    limit: int,
    now: int,
) -> list[WorkerRun]:
    """Select the runs a poll is answered with: by priority of the queue, then by time."""
    if polled.is_paused:
        return []
    room = limit
    taken: dict[str, int] = {}
    if polled.is_limited:
        taken = await slots.taken(reader, (queue.id for queue in polled.every))
    if polled.concurrency_limit is not None:
        room = min(room, max(0, polled.concurrency_limit - sum(taken.values())))
    found: list[WorkerRun] = []
    for queue in polled.queues:
        if len(found) >= room:
            break
        if queue.is_paused:
            continue
        here = room - len(found)
        if queue.concurrency_limit is not None:
            here = min(here, max(0, queue.concurrency_limit - taken.get(queue.id, 0)))
        rows = await reader.all(
            _DUE, queue.id, maybe_micros(after) or 0, maybe_micros(before) or _EVER, here
        )
        found.extend(
            WorkerRun(
                work_pool_id=polled.pool.id,
                work_queue_id=queue.id,
                flow_run=_pollable(row, now=now),
            )
            for row in rows
        )
    return found


def unrecorded(polled: Polled, now: int) -> list[str]:
    """Return the polled queues whose poll was not recorded a moment ago."""
    return [
        queue.id
        for queue in polled.queues
        if queue.status == "NOT_READY"
        or queue.last_polled is None
        or now - queue.last_polled > FRESH
    ]


async def record_poll(unit: Unit, ids: Ids, pool: PoolRef, queue_ids: Sequence[str]) -> None:
    """Mark queues and their deployments as polled; announce those that became ready."""
    now = unit.micros
    queues = await unit.all(_STALE_QUEUES, _encode(list(queue_ids)).decode(), now - FRESH)
    for queue_id, name, status in queues:
        await unit.run(_POLLED_QUEUE, now, now, queue_id)
        if status == "NOT_READY":
            emit_queue(unit, ids.uuid7(), "ready", QueueRef(id=queue_id, name=name), pool)
        waking = await unit.all(_WAKING_OF_QUEUE, queue_id)
        await unit.run(_POLLED_OF_QUEUE, now, queue_id, now - FRESH)
        _announce_ready(unit, ids, waking)


async def record_runner_poll(unit: Unit, ids: Ids, deployment_ids: Sequence[str]) -> None:
    """Mark deployments as polled by a runner that serves them."""
    named = (unit.workspace, _encode(list(deployment_ids)).decode())
    waking = await unit.all(_WAKING_NAMED, *named)
    await unit.run(_POLLED_NAMED, unit.micros, *named, unit.micros - FRESH)
    _announce_ready(unit, ids, waking)


def _announce_ready(unit: Unit, ids: Ids, deployments: Sequence[Row]) -> None:
    for deployment_id, name, flow_id, flow_name in deployments:
        event = deployment_status_event(
            unit, ids, "ready", (deployment_id, name), (flow_id, flow_name)
        )
        unit.emit(event.emitted())


def deployment_status_event(
    unit: Unit, ids: Ids, verb: str, deployment: tuple[str, str], flow: tuple[str, str]
) -> Event:
    """Describe that a deployment became ready or not ready."""
    return Event(
        id=ids.uuid7(),
        occurred=unit.now,
        received=unit.now,
        event=f"prefect.deployment.{verb}",
        resource={
            "prefect.resource.id": f"prefect.deployment.{deployment[0]}",
            "prefect.resource.name": deployment[1],
        },
        related=[
            {
                "prefect.resource.id": f"prefect.flow.{flow[0]}",
                "prefect.resource.role": "flow",
                "prefect.resource.name": flow[1],
            }
        ],
    )


def _raw(text: str | None) -> msgspec.Raw:
    return NULL if text is None else msgspec.Raw(text.encode())


def _pollable(row: Row, *, now: int) -> PollableRun:
    return PollableRun(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        flow_id=row[4],
        state_id=row[5],
        deployment_id=row[6],
        deployment_version=row[7],
        work_queue_name=row[8],
        flow_version=row[9],
        parameters=_raw(row[10]),
        idempotency_key=row[11],
        context=_raw(row[12]),
        empirical_policy=_raw(row[13]),
        tags=_raw(row[14]),
        labels=_raw(row[15]),
        parent_task_run_id=row[16],
        state_type=row[17],
        state_name=row[18],
        run_count=row[19],
        expected_start_time=maybe_moment(row[20]),
        next_scheduled_start_time=maybe_moment(row[21]),
        start_time=maybe_moment(row[22]),
        end_time=maybe_moment(row[23]),
        total_run_time=row[24],
        estimated_run_time=estimated_run_time(row[24], row[17], row[31], now=now),
        estimated_start_time_delta=lateness(row[22], row[20], row[17], now=now),
        auto_scheduled=bool(row[25]),
        infrastructure_document_id=row[26],
        infrastructure_pid=row[27],
        created_by=_raw(row[28]),
        work_queue_id=row[29],
        state=None,
        job_variables=_raw(row[30]),
    )
