"""The list of work pools, the page of one, and their parts that change."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary.errors import NotFound
from armillary_plugins.ui.actions import see_other
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.lists import declare_list
from armillary_plugins.ui.pool_schemas import (
    LimitForm,
    PoolDetail,
    PoolPage,
    PoolTwin,
    QueueRow,
    WorkerRow,
)
from armillary_plugins.ui.pool_shaping import pool_row, pool_twin, queue_row, worker_row
from armillary_plugins.ui.repository import pools as repository
from armillary_plugins.ui.site import site_of
from armillary_plugins.ui.twins import declare_twins
from armillary_web.named_query import NamedQuery, holds, read_named_query, read_part
from armillary_web.pages import Listed, Twin, twin_paths

routes = Routes(tag="Pages", mount="")
LIST, ONE, QUEUE = "/work-pools", "/work-pools/work-pool", "/work-queues/work-queue"
_PAGE = 30
_PART = 100
"""Pools in one part for programs: what waits is counted for each."""


@routes.get(f"{ONE}/{{name}}", scope="see_work_pools")
async def show_pool(call: Call) -> Answer:
    """Show a work pool with its queues and workers."""
    return await answer_pool(call, await read_pool(call), None)


@routes.get(f"/ui/fragments{ONE}/{{name}}", scope="see_work_pools")
async def show_pool_fragment(call: Call) -> Answer:
    """Show the part of a work pool's page that changes."""
    detail = await make_detail(call, await read_pool(call))
    body = site_of(call.core).render("_pool", detail=detail, now=from_micros(call.received))
    return html_answer(call, body)


@routes.get(f"{ONE}/{{name}}/worker/{{id:uuid}}", scope="see_workers")
async def lead_to_worker(call: Call) -> Answer:
    """Lead to a worker where it stands on the page of its pool, which says all of it."""
    pool, worker_id = await read_pool(call), call.path["id"]
    if not await repository.has_worker(call.read(), pool[0], worker_id):
        raise NotFound(
            f"The work pool {pool[1]} has no worker {worker_id}: it was deleted, or belongs to "
            "another server."
        )
    return see_other(call, f"{pool_path(pool[1])}#worker-{worker_id}")


async def make_twin(call: Call, limit: int) -> Twin:
    """Read a part of the list for programs."""
    asked = read_named_query(LIST, call.query)
    query, found = await read_part(asked, partial(_find, call), size=min(limit, _PART))
    rows = [pool_row(row, now=call.received) for row in found.rows]
    following = query.path(after=rows[-1].name) if found.more else None
    return Twin(kind=PoolTwin, rows=[pool_twin(row) for row in rows], next_path=following)


async def make_queues_twin(call: Call, limit: int) -> Twin:
    """Read a pool's queues for programs."""
    rows = await repository.list_queues(
        call.read(), (await read_pool(call))[0], now=call.received, limit=limit
    )
    return Twin(kind=QueueRow, rows=[queue_row(row, now=call.received) for row in rows])


async def make_workers_twin(call: Call, limit: int) -> Twin:
    """Read a pool's workers for programs."""
    rows = await repository.list_workers(call.read(), (await read_pool(call))[0], limit=limit)
    return Twin(kind=WorkerRow, rows=[worker_row(row) for row in rows])


declare_twins(routes, LIST, make_twin, scope="see_work_pools")
declare_twins(routes, f"{ONE}/{{name}}/queues", make_queues_twin, scope="see_work_queues")
declare_twins(routes, f"{ONE}/{{name}}/workers", make_workers_twin, scope="see_workers")


async def make_page(call: Call) -> Listed:
    """Read a part of the list; right at the beginning the first one is shown, which is full."""
    asked = read_named_query(LIST, call.query)
    query, found = await read_part(asked, partial(_find, call), size=_PAGE)
    rows = tuple(pool_row(row, now=call.received) for row in found.rows)
    page = PoolPage(
        rows=rows,
        live_path=query.path("/ui/fragments"),
        twins=twin_paths(query.first.path()),
        back=query.path(),
        name=query.name,
        any_pools=bool(rows) or await repository.any_pools(call.read()),
        **query.turns([row.name for row in rows], more=found.more),
    )
    return Listed(page, query.path())


declare_list(routes, LIST, make_page, template="ui/pools", scope="see_work_pools")


async def _find(call: Call, query: NamedQuery, limit: int) -> Sequence[Row]:
    return await repository.list_pools(
        call.read(),
        holds(query.name),
        limit=limit,
        now=call.received,
        after=query.after or None,
        before=query.before or None,
    )


def pool_path(name: str) -> str:
    """Where the page of a pool is."""
    return f"{ONE}/{quote(name, safe='')}"


async def read_pool(call: Call) -> Row:
    """Read the pool an address names, by name or by id."""
    key = call.path["name"].replace("\0", "")
    row = await repository.read_pool(call.read(), key, now=call.received)
    if row is None:
        raise NotFound(
            f"There is no work pool {key}: it was deleted, or belongs to another server."
        )
    return row


async def make_detail(call: Call, row: Row) -> PoolDetail:
    """Read the queues and workers of a pool."""
    reader, now = call.read(), call.received
    pool = pool_row(row, now=now)
    queues = await repository.list_queues(reader, pool.id, now=now)
    workers = await repository.list_workers(reader, pool.id)
    return PoolDetail(
        pool=pool,
        queues=tuple(queue_row(each, now=now) for each in queues),
        workers=tuple(worker_row(each) for each in workers),
        live_path=f"/ui/fragments{pool_path(pool.name)}",
        back=pool_path(pool.name),
        queue_twins=twin_paths(f"{pool_path(pool.name)}/queues"),
        worker_twins=twin_paths(f"{pool_path(pool.name)}/workers"),
        more_queues=pool.queues - len(queues),
        more_workers=pool.workers - len(workers),
    )


async def answer_pool(call: Call, row: Row, form: LimitForm | None) -> Answer:
    """Answer with the page of a pool; with a form that was sent and has a fault, as 422."""
    site = site_of(call.core)
    shell = site.shell(call, LIST)
    detail = await make_detail(call, row)
    limit = detail.pool.limit
    shown = form or LimitForm(limit="" if limit is None else str(limit))
    body = site.render(
        "pool", shell=shell, detail=detail, form=shown, now=from_micros(call.received)
    )
    return html_answer(call, body, 200 if form is None else 422)
