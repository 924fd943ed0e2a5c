"""What the pages of work pools and queues change: pauses, limits, priorities."""

from __future__ import annotations

from collections.abc import Mapping

from armillary.api import Answer, Call, Routes
from armillary.forms import Form
from armillary.work_pools.repository import pools, queues
from armillary_plugins.ui.actions import back_path, see_other
from armillary_plugins.ui.pool_schemas import LimitForm
from armillary_plugins.ui.routes.pools import ONE, QUEUE, answer_pool, pool_path, read_pool
from armillary_plugins.ui.routes.queues import answer_queue, read_queue

routes = Routes(tag="Pages", mount="")
_MOST_LIMIT, _MOST_PRIORITY = 2**31 - 1, 2**30


@routes.post(f"{ONE}/{{name}}/pause", scope="write_work_pools")
async def pause_pool(call: Call, body: Form) -> Answer:
    """Pause a work pool, and go back to where that was asked for."""
    return await _switch_pool(call, body, paused=True)


@routes.post(f"{ONE}/{{name}}/resume", scope="write_work_pools")
async def resume_pool(call: Call, body: Form) -> Answer:
    """Let a work pool go on, and go back to where that was asked for."""
    return await _switch_pool(call, body, paused=False)


@routes.post(f"{ONE}/{{name}}/limit", scope="write_work_pools")
async def limit_pool(call: Call, body: Form) -> Answer:
    """Change how many runs of a work pool may go on at once."""
    row = await read_pool(call)
    given = body.get("limit", "" if row[5] is None else str(row[5]))
    limit, error = read_number(given, "The limit", least=0, most=_MOST_LIMIT)
    if error is not None:
        form = LimitForm(limit=given, limit_error=error)
        return await answer_pool(call, row, form)
    await _change_pool(call, row[1], {"concurrency_limit": limit})
    return see_other(call, pool_path(row[1]))


@routes.post(f"{QUEUE}/{{id:uuid}}/pause", scope="write_work_queues")
async def pause_queue(call: Call, body: Form) -> Answer:
    """Pause a work queue, and go back to where that was asked for."""
    return await _switch_queue(call, body, paused=True)


@routes.post(f"{QUEUE}/{{id:uuid}}/resume", scope="write_work_queues")
async def resume_queue(call: Call, body: Form) -> Answer:
    """Let a work queue go on, and go back to where that was asked for."""
    return await _switch_queue(call, body, paused=False)


@routes.post(f"{QUEUE}/{{id:uuid}}/change", scope="write_work_queues")
async def change_queue(call: Call, body: Form) -> Answer:
    """Change how many runs of a work queue may go on at once, and before whose they come."""
    row = await read_queue(call)
    now = "" if row[5] is None else str(row[5])
    given_limit, given = body.get("limit", now), body.get("priority", str(row[3]))
    limit, limit_error = read_number(given_limit, "The limit", least=0, most=_MOST_LIMIT)
    priority, error = read_number(given, "The priority", least=1, most=_MOST_PRIORITY)
    if priority is None and error is None:
        error = "A queue needs a priority: 1 comes first."
    if limit_error or error:
        form = LimitForm(
            limit=given_limit, limit_error=limit_error, priority=given, priority_error=error
        )
        return await answer_queue(call, row, form)
    await _change_queue(call, {"concurrency_limit": limit, "priority": priority})
    return see_other(call, f"{QUEUE}/{row[0]}")


def read_number(text: str, what: str, *, least: int, most: int) -> tuple[int | None, str | None]:
    """Read a whole number, or None where nothing is written; else what is wrong with it."""
    text = text.strip()
    if not text:
        return None, None
    if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text), None
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return None, f"{what} is {shown}, but has to be a whole number from {least} to {most}."


async def _switch_pool(call: Call, form: Form, *, paused: bool) -> Answer:
    name = (await read_pool(call))[1]
    await _change_pool(call, name, {"is_paused": int(paused)})
    return see_other(call, back_path(form, pool_path(name)))


async def _switch_queue(call: Call, form: Form, *, paused: bool) -> Answer:
    await _change_queue(call, {"is_paused": int(paused)})
    return see_other(call, back_path(form, f"{QUEUE}/{call.path['id']}"))


async def _change_pool(call: Call, name: str, changes: Mapping[str, object]) -> None:
    core = call.core
    await call.write(lambda unit: pools.update(unit, core.ids, name, changes))


async def _change_queue(call: Call, changes: Mapping[str, object]) -> None:
    core, queue_id = call.core, call.path["id"]
    await call.write(lambda unit: queues.update(unit, core.ids, queue_id, changes))
