"""The page of a task run, and its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.errors import NotFound
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.log_pages import AFTER, CURSOR, read_log_query
from armillary_plugins.ui.repository import run as repository
from armillary_plugins.ui.routes.parts import LoggedRun, is_final, read_log, read_states
from armillary_plugins.ui.schemas import LogPage, StateHistory, TaskRunDetail
from armillary_plugins.ui.shaping import task_run_detail
from armillary_plugins.ui.site import site_of

routes = Routes(tag="Pages", mount="")
_STATE, _FLOW_RUN, _START = 3, 7, 10
_PARTS = "/ui/fragments/runs/task-run/{id:uuid}"


@routes.get("/runs/task-run/{id:uuid}", scope="see_flows")
async def show_task_run(call: Call) -> Answer:
    """Show a task run."""
    site = site_of(call.core)
    shell = site.shell(call, "/runs")
    row = await _read(call)
    body = site.render(
        "task_run",
        shell=shell,
        run=_header(call, row),
        states=await _states(call, row),
        logs=await _log(call, row, cursor=CURSOR),
        run_id=_told_under(row),
        now=from_micros(call.received),
    )
    return html_answer(call, body)


@routes.get(f"{_PARTS}/header", scope="see_flows")
async def show_task_run_header(call: Call) -> Answer:
    """Show a task run's state."""
    row = await _read(call)
    return _part(call, "_task_run_header", row, run=_header(call, row))


@routes.get(f"{_PARTS}/states", scope="see_flows")
async def show_task_run_states(call: Call) -> Answer:
    """Show the states a task run has been in."""
    row = await _read(call)
    return _part(call, "_run_states", row, states=await _states(call, row))


@routes.get(f"{_PARTS}/logs", scope="see_flows")
async def show_task_run_log(call: Call) -> Answer:
    """Show the lines of a task run's log that came after a cursor."""
    row = await _read(call)
    return _part(call, "_log_lines", row, logs=await _log(call, row, cursor=AFTER))


async def _read(call: Call) -> Sequence[Any]:
    run_id = call.path["id"]
    row = await repository.read_task_run(call.read(), run_id)
    if row is None:
        raise NotFound(
            f"There is no task run {run_id}: it was deleted, or belongs to another server."
        )
    return row


def _told_under(row: Sequence[Any]) -> str:
    """The id that changes of this run are told under."""
    return row[_FLOW_RUN] or row[0]  # type: ignore[no-any-return]


def _part(call: Call, name: str, row: Sequence[Any], **context: Any) -> Answer:
    body = site_of(call.core).render(
        name, run_id=_told_under(row), now=from_micros(call.received), **context
    )
    return html_answer(call, body)


def _page_path(row: Sequence[Any]) -> str:
    return f"/runs/task-run/{row[0]}"


def _live_path(row: Sequence[Any], part: str) -> str | None:
    return None if is_final(row[_STATE]) else f"/ui/fragments{_page_path(row)}/{part}"


def _header(call: Call, row: Sequence[Any]) -> TaskRunDetail:
    return task_run_detail(row, live_path=_live_path(row, "header"), now=call.received)


async def _states(call: Call, row: Sequence[Any]) -> StateHistory:
    return await read_states(call, row[0], live_path=_live_path(row, "states"), of_task_run=True)


async def _log(call: Call, row: Sequence[Any], *, cursor: str) -> LogPage:
    run = LoggedRun(call, row, state_at=_STATE, start_at=_START)
    query = read_log_query(_page_path(row), call.query, cursor=cursor)
    return await read_log(call, run, query, of_task_run=True)
