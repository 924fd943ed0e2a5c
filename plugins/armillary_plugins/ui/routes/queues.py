"""The page of a work queue."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary.errors import NotFound
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.pool_schemas import LimitForm
from armillary_plugins.ui.pool_shaping import queue_row
from armillary_plugins.ui.repository import pools as repository
from armillary_plugins.ui.routes.pools import LIST, QUEUE
from armillary_plugins.ui.site import site_of

routes = Routes(tag="Pages", mount="")


@routes.get(f"{QUEUE}/{{id:uuid}}", scope="see_work_queues")
async def show_queue(call: Call) -> Answer:
    """Show a work queue, and the form that changes it."""
    return await answer_queue(call, await read_queue(call), None)


@routes.get(f"/ui/fragments{QUEUE}/{{id:uuid}}", scope="see_work_queues")
async def show_queue_fragment(call: Call) -> Answer:
    """Show the part of a work queue's page that changes."""
    queue = queue_row(await read_queue(call), now=call.received)
    body = site_of(call.core).render("_queue", queue=queue, now=from_micros(call.received))
    return html_answer(call, body)


async def read_queue(call: Call) -> Row:
    """Read the queue an address names."""
    queue_id = call.path["id"]
    row = await repository.read_queue(call.read(), queue_id, now=call.received)
    if row is None:
        raise NotFound(
            f"There is no work queue {queue_id}: it was deleted, or belongs to another server."
        )
    return row


async def answer_queue(call: Call, row: Row, form: LimitForm | None) -> Answer:
    """Answer with the page of a queue; with a form that was sent and has a fault, as 422."""
    site = site_of(call.core)
    shell = site.shell(call, LIST)
    queue = queue_row(row, now=call.received)
    limit = "" if queue.limit is None else str(queue.limit)
    shown = form or LimitForm(limit=limit, priority=str(queue.priority))
    body = site.render(
        "queue", shell=shell, queue=queue, form=shown, now=from_micros(call.received)
    )
    return html_answer(call, body, 200 if form is None else 422)
