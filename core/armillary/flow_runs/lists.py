"""Routes that look at many flow runs: lists, pages, counts, histories, and a run's graph."""

from __future__ import annotations

from armillary.api import Answer, Call, OrDefault, Routes
from armillary.criteria import query_micros
from armillary.db.listing import Span
from armillary.errors import RunNotFound
from armillary.flow_runs.criteria import FlowRunCriteria, HistoryCriteria
from armillary.flow_runs.graph import Dependency, Graph, read_dependencies, read_graph
from armillary.flow_runs.reading import FlowRunResponse
from armillary.flow_runs.selecting import FlowRunSort, list_flow_runs
from armillary.flow_runs.totals import average_lateness, count_flow_runs, flow_run_history
from armillary.history import HistoryBody, Interval
from armillary.paging import Page, PageSlice, Slice

list_routes = Routes(tag="Flow Runs")


class FilterFlowRuns(FlowRunCriteria, Slice):
    """Which flow runs to list."""

    sort: OrDefault[FlowRunSort] = "ID_DESC"


class PaginateFlowRuns(FlowRunCriteria, PageSlice):
    """Which page of flow runs to list."""

    sort: OrDefault[FlowRunSort] = "ID_DESC"


class FlowRunHistory(HistoryCriteria, HistoryBody):
    """Which flow runs to count in which window."""


@list_routes.post("/flow_runs/filter", scope="see_flows", answers={200: list[FlowRunResponse]})
async def filter_flow_runs(call: Call, body: FilterFlowRuns) -> Answer:
    """List flow runs."""
    limit, offset = body.bounds()
    selection = body.selection(call.workspace)
    return Answer.json(
        await list_flow_runs(
            call.read(), selection, body.sort, Span(limit, offset), now=call.received
        )
    )


@list_routes.post("/flow_runs/paginate", scope="see_flows", answers={200: Page})
async def paginate_flow_runs(call: Call, body: PaginateFlowRuns) -> Answer:
    """List a page of flow runs and say how many there are."""
    limit, offset = body.bounds()
    selection = body.selection(call.workspace)
    found = await list_flow_runs(
        call.read(), selection, body.sort, Span(limit, offset), now=call.received
    )
    return Answer.json(body.answer(found, await count_flow_runs(call.read(), selection)))


@list_routes.post("/flow_runs/count", scope="see_flows", answers={200: int})
async def count(call: Call, body: FlowRunCriteria) -> Answer:
    """Count flow runs."""
    return Answer.json(await count_flow_runs(call.read(), body.selection(call.workspace)))


@list_routes.post("/flow_runs/lateness", scope="see_flows", answers={200: float | None})
async def lateness(call: Call, body: FlowRunCriteria) -> Answer:
    """Return how many seconds late flow runs are on average; null without any."""
    selection = body.selection(call.workspace)
    return Answer.json(await average_lateness(call.read(), selection, now=call.received))


@list_routes.post("/flow_runs/history", scope="see_flows", answers={200: list[Interval]})
async def history(call: Call, body: FlowRunHistory) -> Answer:
    """Count flow runs by state over time."""
    selection = body.selection(call.workspace)
    return Answer.json(
        await flow_run_history(call.read(), selection, body.window(), now=call.received)
    )


@list_routes.get(
    "/flow_runs/{id:uuid}/graph", scope="see_flows", answers={200: list[Dependency]}
)
async def graph_v1(call: Call) -> Answer:
    """List a flow run's task runs, each with those it waited for."""
    return Answer.json(await read_dependencies(call.read(), call.path["id"], now=call.received))


@list_routes.get("/flow_runs/{id:uuid}/graph-v2", scope="see_flows", answers={200: Graph})
async def graph(call: Call) -> Answer:
    """Show a flow run's task runs and subflow runs as nodes and edges."""
    since = query_micros(call.query, "since")
    found = await read_graph(call.read(), call.path["id"], since=since)
    if found is None:
        raise RunNotFound(f"Flow run with id {call.path['id']} not found")
    return Answer.json(found)
