"""The page of a flow run, and its parts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros, maybe_moment
from armillary.errors import NotFound
from armillary_plugins.logs.repository import around_trouble
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.log_pages import AFTER, CURSOR, read_log_query
from armillary_plugins.ui.repository import run as repository
from armillary_plugins.ui.repository.run import TaskPlace, TaskSlice
from armillary_plugins.ui.routes.parts import (
    LoggedRun,
    is_final,
    is_settled,
    read_log,
    read_states,
)
from armillary_plugins.ui.schemas import LogPage, RunDetail, RunError, StateHistory, TaskRunPage
from armillary_plugins.ui.shaping import log_line, run_detail, task_rows
from armillary_plugins.ui.site import site_of
from armillary_plugins.ui.waiting import Waiting, read_waiting
from armillary_web.pages import RunCard, twin_paths

routes = Routes(tag="Pages", mount="")
_TASKS = 100
_STATE, _ENTERED, _START, _END = 2, 4, 15, 16
_PLACE = re.compile(r"(\d{1,18})\.([0-9a-f-]{36})")
TASKS_AFTER, _TASKS_BEFORE = "tasks-after", "tasks-before"
_PARTS = "/ui/fragments/runs/flow-run/{id:uuid}"


class _Added(msgspec.Struct, frozen=True):
    """What another plugin shows on the page."""

    card: RunCard
    shown: Mapping[str, Any]


@routes.get("/runs/flow-run/{id:uuid}", scope="see_flows")
async def show_run(call: Call) -> Answer:
    """Show a flow run."""
    site = site_of(call.core)
    shell = site.shell(call, "/runs")
    row = await read_run(call)
    body = site.render(
        "run",
        shell=shell,
        run=_header(call, row),
        states=await _states(call, row),
        tasks=await _tasks(call, row),
        logs=await _log(call, row, cursor=CURSOR),
        error=await _error(call, row),
        waiting=await _waiting(call, row),
        added=await _added(call, row[0]),
        run_id=row[0],
        now=from_micros(call.received),
    )
    return html_answer(call, body)


@routes.get(f"{_PARTS}/header", scope="see_flows")
async def show_run_header(call: Call) -> Answer:
    """Show a flow run's state."""
    row = await read_run(call)
    return _part(call, "_run_header", row, run=_header(call, row))


@routes.get(f"{_PARTS}/waiting", scope="see_flows")
async def show_run_waiting(call: Call) -> Answer:
    """Show why a flow run does not run."""
    row = await read_run(call)
    return _part(call, "_run_waiting", row, waiting=await _waiting(call, row))


@routes.get(f"{_PARTS}/error", scope="see_flows")
async def show_run_error(call: Call) -> Answer:
    """Show the first error a flow run logged."""
    row = await read_run(call)
    return _part(call, "_run_error", row, error=await _error(call, row))


@routes.get(f"{_PARTS}/states", scope="see_flows")
async def show_run_states(call: Call) -> Answer:
    """Show the states a flow run has been in."""
    row = await read_run(call)
    return _part(call, "_run_states", row, states=await _states(call, row))


@routes.get(f"{_PARTS}/task-runs", scope="see_flows")
async def show_run_tasks(call: Call) -> Answer:
    """Show a flow run's task runs."""
    row = await read_run(call)
    return _part(call, "_task_runs", row, tasks=await _tasks(call, row))


@routes.get(f"{_PARTS}/logs", scope="see_flows")
async def show_run_log(call: Call) -> Answer:
    """Show the lines of a flow run's log that came after a cursor."""
    row = await read_run(call)
    return _part(call, "_log_lines", row, logs=await _log(call, row, cursor=AFTER))


async def read_run(call: Call) -> Sequence[Any]:
    """Read the flow run the path names; NotFound without it."""
    run_id = call.path["id"]
    row = await repository.read_flow_run(call.read(), run_id)
    if row is None:
        raise NotFound(
            f"There is no flow run {run_id}: it was deleted, or belongs to another server."
        )
    return row


async def _added(call: Call, run_id: str) -> list[_Added]:
    """Read what other plugins show on the page, as far as whoever asks may see it."""
    cards = [
        card
        for pages in site_of(call.core).added
        for card in pages.run_cards
        if card.scope in call.actor.scopes
    ]
    read = [(card, await card.read(call, run_id)) for card in cards]
    return [_Added(card, shown) for card, shown in read if shown is not None]


def _part(call: Call, name: str, row: Sequence[Any], **context: Any) -> Answer:
    body = site_of(call.core).render(name, run_id=row[0], now=from_micros(call.received), **context)
    return html_answer(call, body)


def _page_path(row: Sequence[Any]) -> str:
    return f"/runs/flow-run/{row[0]}"


def _part_path(row: Sequence[Any], part: str) -> str:
    return f"/ui/fragments{_page_path(row)}/{part}"


async def _waiting(call: Call, row: Sequence[Any]) -> Waiting:
    live_path = None if is_final(row[_STATE]) else _part_path(row, "waiting")
    return await read_waiting(call, row, live_path=live_path)


def _header(call: Call, row: Sequence[Any]) -> RunDetail:
    live_path = None if is_final(row[_STATE]) else _part_path(row, "header")
    return run_detail(row, live_path=live_path, now=call.received)


async def _states(call: Call, row: Sequence[Any]) -> StateHistory:
    live_path = None if is_final(row[_STATE]) else _part_path(row, "states")
    return await read_states(call, row[0], live_path=live_path)


async def _log(call: Call, row: Sequence[Any], *, cursor: str) -> LogPage:
    run = LoggedRun(call, row, state_at=_STATE, start_at=_START)
    return await read_log(call, run, read_log_query(_page_path(row), call.query, cursor=cursor))


async def _error(call: Call, row: Sequence[Any]) -> RunError:
    """Read the lines around the first error of a run, though it may have ended well."""
    failed = row[_STATE] in ("FAILED", "CRASHED")
    found = await around_trouble(call.read(), row[0], failed=failed, before=4, after=4)
    settled = is_settled(call, row[_STATE], row[_ENTERED])
    level = "?level=40" if found is None or found.is_error else ""
    return RunError(
        title="First error" if found is None or found.is_error else "What it said last",
        lines=tuple(log_line(line, {}) for line in found.lines) if found else (),
        error_id=found.line_id if found else None,
        log_path=f"{_page_path(row)}{level}",
        live_path=None if settled else _part_path(row, "error"),
    )


async def _tasks(call: Call, row: Sequence[Any]) -> TaskRunPage:
    after = place_of(call.query.get(TASKS_AFTER))
    before = None if after else place_of(call.query.get(_TASKS_BEFORE))
    found = await repository.list_task_runs(
        call.read(), row[0], limit=_TASKS, after=after, before=before
    )
    if before is not None and not found.more:
        after = before = None
        found = await repository.list_task_runs(call.read(), row[0], limit=_TASKS)
    counts = await repository.count_task_runs(call.read(), row[0])
    total = sum(one.count for one in counts)
    settled = is_settled(call, row[_STATE], row[_ENTERED])
    here = _query(after, before)
    return TaskRunPage(
        rows=task_rows(
            found.rows,
            begin=maybe_moment(row[_START]),
            end=maybe_moment(row[_END]) or from_micros(call.received),
            now=call.received,
        ),
        live_path=None if settled else _part_path(row, "task-runs") + here,
        counts=counts,
        **_turns(row, found, after=after, before=before),
        total=total,
        total_capped=total >= repository.COUNTED,
        twins=twin_paths(f"{_page_path(row)}/task-runs"),
    )


def _turns(
    row: Sequence[Any], found: TaskSlice, *, after: TaskPlace | None, before: TaskPlace | None
) -> dict[str, str | None]:
    places = found.places
    if places is None:
        return {"previous_path": None, "next_path": None}
    first, last = places
    page = _page_path(row)
    earlier = after is not None or before is not None
    later = found.more or before is not None
    return {
        "previous_path": f"{page}{_query(None, first)}#task-runs" if earlier else None,
        "next_path": f"{page}{_query(last, None)}#task-runs" if later else None,
    }


def _query(after: TaskPlace | None, before: TaskPlace | None) -> str:
    for name, place in ((TASKS_AFTER, after), (_TASKS_BEFORE, before)):
        if place is not None:
            return "?" + urlencode({name: f"{place.began}.{place.id}"})
    return ""


def place_of(text: str | None) -> TaskPlace | None:
    """Read where a page of task runs is cut; None for what is no place."""
    found = _PLACE.fullmatch(text or "")
    return None if found is None else TaskPlace(int(found[1]), found[2])
