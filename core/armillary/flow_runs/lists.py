"""Routes that look at many flow runs: lists, pages, counts, histories, and a run's graph."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.api import Answer, Call, OrDefault, Routes
from armillary.criteria import micros
from armillary.errors import RunNotFound
from armillary.flow_runs.criteria import FlowRunCriteria, HistoryCriteria
from armillary.flow_runs.graph import Dependency, Graph, graph_of, read_dependencies
from armillary.flow_runs.graph_reading import read_rows
from armillary.flow_runs.reading import FlowRunResponse
from armillary.flow_runs.selecting import FlowRunSort, select_flow_runs
from armillary.flow_runs.totals import average_lateness, count_flow_runs, flow_run_history
from armillary.history import Interval, Window, window_of
from armillary.paging import Page, page_of, paged, slice_of

list_routes = Routes(tag="Flow Runs")


class FilterFlowRuns(FlowRunCriteria):
    """Which flow runs to list."""

    sort: OrDefault[FlowRunSort] = "ID_DESC"
    limit: int | None = None
    offset: OrDefault[int] = 0


class PaginateFlowRuns(FlowRunCriteria):
    """Which page of flow runs to list."""

    sort: OrDefault[FlowRunSort] = "ID_DESC"
    limit: int | None = None
    page: OrDefault[int] = 1


class FlowRunHistory(HistoryCriteria, kw_only=True):
    """Which flow runs to count in which window."""

    history_start: datetime
    history_end: datetime
    history_interval_seconds: float

    def window(self) -> Window:
        """Check which window of time is meant."""
        return window_of(self.history_start, self.history_end, self.history_interval_seconds)


class GraphQuery(msgspec.Struct, frozen=True):
    """Which part of a graph to show."""

    since: datetime | None = None


@list_routes.post(
    "/flow_runs/filter", scope="see_flows", hot=True, answers={200: list[FlowRunResponse]}
)
async def filter_flow_runs(call: Call, body: FilterFlowRuns) -> Answer:
    """List flow runs."""
    span = slice_of(body.limit, body.offset)
    selection = body.selection(call.workspace)
    rows = await select_flow_runs(call.read(), selection, body.sort, span)
    return Answer.json(call.core.known_flow_runs.shown(rows, now=call.received))


@list_routes.post("/flow_runs/paginate", scope="see_flows", shared=True, answers={200: Page})
async def paginate_flow_runs(call: Call, body: PaginateFlowRuns) -> Answer:
    """List a page of flow runs and say how many there are."""
    span = page_of(body.limit, body.page)
    selection = body.selection(call.workspace)
    rows = await select_flow_runs(call.read(), selection, body.sort, span)
    found = call.core.known_flow_runs.shown(rows, now=call.received)
    total = await count_flow_runs(call.read(), selection)
    return Answer.json(paged(found, total, limit=span.limit, page=body.page))


@list_routes.post("/flow_runs/count", scope="see_flows", hot=True, shared=True, answers={200: int})
async def count(call: Call, body: FlowRunCriteria) -> Answer:
    """Count flow runs."""
    return Answer.json(await count_flow_runs(call.read(), body.selection(call.workspace)))


@list_routes.post(
    "/flow_runs/lateness", scope="see_flows", shared=True, answers={200: float | None}
)
async def lateness(call: Call, body: FlowRunCriteria) -> Answer:
    """Return how many seconds late flow runs are on average; null without any."""
    selection = body.selection(call.workspace)
    return Answer.json(await average_lateness(call.read(), selection, now=call.received))


@list_routes.post(
    "/flow_runs/history", scope="see_flows", shared=True, answers={200: list[Interval]}
)
async def history(call: Call, body: FlowRunHistory) -> Answer:
    """Count flow runs by state over time."""
    selection = body.selection(call.workspace)
    return Answer.json(
        await flow_run_history(call.read(), selection, body.window(), now=call.received)
    )


@list_routes.get(
    "/flow_runs/{id:uuid}/graph", scope="see_flows", shared=True, answers={200: list[Dependency]}
)
async def graph_v1(call: Call) -> Answer:
    """List a flow run's task runs, each with those it waited for."""
    return Answer.json(await read_dependencies(call.read(), call.path["id"], now=call.received))


@list_routes.get(
    "/flow_runs/{id:uuid}/graph-v2", scope="see_flows", shared=True, answers={200: Graph}
)
async def graph(call: Call, *, query: GraphQuery) -> Answer:
    """Show a flow run's task runs and subflow runs as nodes and edges."""
    run_id, since = call.path["id"], micros(query.since)
    rows = await read_rows(call.read(), run_id, sources=call.core.graph_artifacts)
    if rows is None:
        raise RunNotFound(f"Flow run with id {run_id} not found")
    return call.core.known_graphs.answer(
        run_id, since, rows, lambda: Answer.json(graph_of(rows, since=since))
    )
