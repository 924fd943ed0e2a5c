"""The list of flow runs."""

from __future__ import annotations

from armillary.api import Call, Routes
from armillary_plugins.ui.lists import FRAGMENTS, declare_list
from armillary_plugins.ui.repository import runs as repository
from armillary_plugins.ui.repository.runs import Slice
from armillary_plugins.ui.runs_query import (
    ALWAYS_SHOWN,
    SHOWN,
    RunsQuery,
    id_texts,
    read_query,
)
from armillary_plugins.ui.schemas import RunPage, RunRow, StateCount
from armillary_plugins.ui.twins import declare_twins
from armillary_web.filters import state_look
from armillary_web.pages import Listed, Twin, twin_paths

routes = Routes(tag="Pages", mount="")
_PAGE = 50
_TOTAL = "total"
_LIST = "/runs"


async def make_twin(call: Call, limit: int) -> Twin:
    """Read a part of the list for programs."""
    query = read_query(call.query)
    found = await repository.list_runs(
        call.read(),
        query.selection(call.workspace, now=call.received),
        limit=limit,
        now=call.received,
        before=query.before,
    )
    more = found.more and found.last is not None
    following = query.path(before=found.last) if more else None
    return Twin(kind=RunRow, rows=found.rows, next_path=following)


declare_twins(routes, _LIST, make_twin, scope="see_flows")


async def make_page(call: Call) -> Listed:
    """Read a page of the list."""
    query, found = await _read_slice(call, read_query(call.query))
    counts = await _count(call, query)
    total = counts.get(_TOTAL)
    page = RunPage(
        rows=found.rows,
        live_path=query.path(FRAGMENTS + _LIST),
        twins=twin_paths(query.first_page().path()),
        filter=query.form(await _names(call, query)),
        counts=_tabs(query, counts),
        any_runs=bool(found.rows) or await repository.any_runs(call.read()),
        previous_path=_newer(query, found),
        next_path=_older(query, found),
        total=None if total is None else min(total, repository.CAP),
        total_capped=total is not None and total > repository.CAP,
    )
    return Listed(page, query.path())


declare_list(routes, _LIST, make_page, template="ui/runs", scope="see_flows")


async def _read_slice(call: Call, query: RunsQuery) -> tuple[RunsQuery, Slice]:
    """Read the rows; right at the newest end the first page is shown, which is full."""
    selection = query.selection(call.workspace, now=call.received)
    found = await repository.list_runs(
        call.read(),
        selection,
        limit=_PAGE,
        now=call.received,
        before=query.before,
        after=query.after,
    )
    if query.after is None or query.before is not None or found.more:
        return query, found
    first = query.first_page()
    return first, await repository.list_runs(call.read(), selection, limit=_PAGE, now=call.received)


def _newer(query: RunsQuery, found: Slice) -> str | None:
    if query.before is None and query.after is None:
        return None
    if found.first is None:
        return query.first_page().path()
    return query.path(after=found.first)


def _older(query: RunsQuery, found: Slice) -> str | None:
    if found.last is None:
        return None
    upwards = query.after is not None and query.before is None
    return query.path(before=found.last) if found.more or upwards else None


async def _count(call: Call, query: RunsQuery) -> dict[str, int]:
    """Count by state, and all that are listed; not where names are searched for."""
    if query.searches:
        return {}
    now, workspace = call.received, call.workspace
    anyhow = query.any_state()
    selections = {
        state: anyhow.selection(workspace, now=now, upcoming=state == "SCHEDULED")
        for state in SHOWN
    }
    selections[_TOTAL] = query.selection(workspace, now=now)
    return await repository.count_by_state(call.read(), selections)


def _tabs(query: RunsQuery, counts: dict[str, int]) -> tuple[StateCount, ...]:
    return tuple(
        StateCount(
            state_type=state,
            count=min(counts[state], repository.CAP),
            capped=counts[state] > repository.CAP,
            path=query.path(state=state_look(state).word),
        )
        for state in SHOWN
        if state in counts and (counts[state] or state in ALWAYS_SHOWN)
    )


async def _names(call: Call, query: RunsQuery) -> dict[str, str]:
    """The names of what is filtered by its id."""
    names: dict[str, str] = {}
    for table, text in (
        ("flow", query.flows),
        ("deployment", query.deployments),
        ("work_pool", query.pools),
        ("work_queue", query.queues),
    ):
        if text:
            names |= await repository.names_of(call.read(), table, id_texts(text))
    return names
