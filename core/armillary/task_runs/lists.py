"""Routes that look at many task runs: lists, pages, counts and histories."""

from __future__ import annotations

from armillary.api import Answer, Call, OrDefault, Routes
from armillary.db.listing import Span
from armillary.history import HistoryBody, Interval
from armillary.paging import Page, PageSlice, Slice
from armillary.task_runs.criteria import TaskRunCriteria
from armillary.task_runs.reading import (
    TaskRunSort,
    count_task_runs,
    list_task_runs,
    reduced,
    task_run_history,
)
from armillary.task_runs.schemas import TaskRun

list_routes = Routes(tag="Task Runs")


class FilterTaskRuns(TaskRunCriteria, Slice):
    """Which task runs to list."""

    sort: OrDefault[TaskRunSort] = "ID_DESC"


class PaginateTaskRuns(TaskRunCriteria, PageSlice):
    """Which page of task runs to list."""

    sort: OrDefault[TaskRunSort] = "ID_DESC"


class TaskRunHistory(TaskRunCriteria, HistoryBody):
    """Which task runs to count in which window."""


@list_routes.post("/task_runs/filter", scope="see_flows", answers={200: list[TaskRun]})
async def filter_task_runs(call: Call, body: FilterTaskRuns) -> Answer:
    """List task runs."""
    limit, offset = body.bounds()
    selection = body.selection(call.workspace)
    return Answer.json(
        await list_task_runs(
            call.read(), selection, body.sort, Span(limit, offset), now=call.received
        )
    )


@list_routes.post("/task_runs/paginate", scope="see_flows", answers={200: Page})
async def paginate_task_runs(call: Call, body: PaginateTaskRuns) -> Answer:
    """List a page of task runs and say how many there are."""
    limit, offset = body.bounds()
    selection = body.selection(call.workspace)
    found = await list_task_runs(
        call.read(), selection, body.sort, Span(limit, offset), now=call.received
    )
    total = await count_task_runs(call.read(), selection)
    return Answer.json(body.answer([reduced(run) for run in found], total))


@list_routes.post("/task_runs/count", scope="see_flows", answers={200: int})
async def count(call: Call, body: TaskRunCriteria) -> Answer:
    """Count task runs."""
    return Answer.json(await count_task_runs(call.read(), body.selection(call.workspace)))


@list_routes.post("/task_runs/history", scope="see_flows", answers={200: list[Interval]})
async def history(call: Call, body: TaskRunHistory) -> Answer:
    """Count task runs by state over time."""
    selection = body.selection(call.workspace)
    return Answer.json(
        await task_run_history(call.read(), selection, body.window(), now=call.received)
    )
