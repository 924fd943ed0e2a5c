"""The list of flows, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros, maybe_moment
from armillary.criteria import AllTags, Names
from armillary.db.unit import Row
from armillary.errors import NotFound
from armillary.flows.filters import FlowFilter
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.deployment_shaping import run_marks
from armillary_plugins.ui.flow_schemas import (
    FlowDeployment,
    FlowDetail,
    FlowPage,
    FlowRow,
    FlowTwin,
)
from armillary_plugins.ui.lists import declare_list
from armillary_plugins.ui.repository import flows as repository
from armillary_plugins.ui.repository.deployments import last_runs
from armillary_plugins.ui.repository.runs import list_runs
from armillary_plugins.ui.runs_query import RunsQuery
from armillary_plugins.ui.schemas import FilterChip
from armillary_plugins.ui.site import site_of
from armillary_plugins.ui.twins import declare_twins
from armillary_web.named_query import NamedQuery, read_named_query, read_part
from armillary_web.pages import Listed, Twin, twin_paths

routes = Routes(tag="Pages", mount="")
_LIST, _ONE = "/flows", "/flows/flow"
_PAGE = 50
_RUNS = 15
_tags = msgspec.json.Decoder(tuple[str, ...]).decode


@routes.get(f"{_ONE}/{{id:uuid}}", scope="see_flows")
async def show_flow(call: Call) -> Answer:
    """Show a flow with its deployments and last runs."""
    site = site_of(call.core)
    shell = site.shell(call, _LIST)
    detail = await make_detail(call)
    body = site.render("flow", shell=shell, detail=detail, now=from_micros(call.received))
    return html_answer(call, body)


@routes.get(f"/ui/fragments{_ONE}/{{id:uuid}}", scope="see_flows")
async def show_flow_fragment(call: Call) -> Answer:
    """Show the part of a flow's page that changes."""
    detail = await make_detail(call)
    body = site_of(call.core).render("_flow", detail=detail, now=from_micros(call.received))
    return html_answer(call, body)


async def make_twin(call: Call, limit: int) -> Twin:
    """Read a part of the list for programs."""
    asked = read_named_query(_LIST, call.query)
    query, found = await read_part(asked, partial(_find, call), size=limit)
    rows = [_row(row, (), now=call.received) for row in found.rows]
    following = query.path(after=rows[-1].name) if found.more else None
    names = FlowTwin.__struct_fields__
    twins = [FlowTwin(**{name: getattr(row, name) for name in names}) for row in rows]
    return Twin(kind=FlowTwin, rows=twins, next_path=following)


declare_twins(routes, _LIST, make_twin, scope="see_flows")


async def make_page(call: Call) -> Listed:
    """Read a part of the list; right at the beginning the first one is shown, which is full."""
    asked = read_named_query(_LIST, call.query)
    query, found = await read_part(asked, partial(_find, call), size=_PAGE)
    ids = [row[0] for row in found.rows]
    drawn = await last_runs(call.read(), ids, now=call.received, of="flow_id")
    rows = tuple(_row(row, drawn[row[0]], now=call.received) for row in found.rows)
    page = FlowPage(
        rows=rows,
        live_path=query.path("/ui/fragments"),
        twins=twin_paths(query.first.path()),
        name=query.name,
        tags=query.tags,
        chips=_chips(query),
        any_flows=bool(rows) or await repository.any_flows(call.read()),
        **query.turns([row.name for row in rows], more=found.more),
    )
    return Listed(page, query.path())


declare_list(routes, _LIST, make_page, template="ui/flows", scope="see_flows")


async def make_detail(call: Call) -> FlowDetail:
    """Read a flow, its deployments and its last runs."""
    reader, flow_id, now = call.read(), call.path["id"], call.received
    row = await repository.read_flow(reader, flow_id, now=now)
    if row is None:
        raise NotFound(f"There is no flow {flow_id}: it was deleted, or belongs to another server.")
    drawn = await last_runs(reader, [flow_id], now=now, of="flow_id")
    runs = RunsQuery(flows=flow_id).selection(call.workspace, now=now)
    deployments = await repository.list_deployments_of(reader, flow_id, now=now)
    return FlowDetail(
        flow=_row(row, drawn[flow_id], now=now),
        deployments=tuple(
            FlowDeployment(
                id=one[0], name=one[1], paused=bool(one[2]), next_run=maybe_moment(one[3])
            )
            for one in deployments
        ),
        runs=(await list_runs(reader, runs, limit=_RUNS, now=now)).rows,
        live_path=f"/ui/fragments{_ONE}/{flow_id}",
        more_deployments=row[4] > repository.CAP,
    )


async def _find(call: Call, query: NamedQuery, limit: int) -> Sequence[Row]:
    tags = query.all_tags
    wanted = FlowFilter(
        name=Names(like_=query.name) if query.name else None,
        tags=AllTags(all_=tags) if tags else None,
    )
    return await repository.list_flows(
        call.read(),
        wanted.on("f"),
        limit=limit,
        now=call.received,
        after=query.after or None,
        before=query.before or None,
    )


def _chips(query: NamedQuery) -> tuple[FilterChip, ...]:
    texts = {"name": f"Name has {query.name}", "tags": f"Tags {', '.join(query.all_tags)}"}
    return tuple(
        FilterChip(text=text, remove_path=query.path(**{word: ""}))
        for word, text in texts.items()
        if getattr(query, word)
    )


def _row(row: Row, drawn: Sequence[Row], *, now: int) -> FlowRow:
    return FlowRow(
        id=row[0],
        name=row[1],
        tags=_tags(row[2]),
        deployments=min(row[4], repository.CAP),
        deployments_capped=row[4] > repository.CAP,
        last_run=maybe_moment(row[5]),
        next_run=maybe_moment(row[6]),
        created=from_micros(row[3]),
        marks=run_marks(drawn, now=now),
    )
