"""Routes that look at many task runs: lists, pages, counts and histories."""

from __future__ import annotations

from datetime import datetime

from armillary.api import Answer, Call, OrDefault, Routes
from armillary.history import Interval, Window, window_of
from armillary.paging import Page, page_of, paged, slice_of
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


class FilterTaskRuns(TaskRunCriteria):
    """Which task runs to list."""

    sort: OrDefault[TaskRunSort] = "ID_DESC"
    limit: int | None = None
    offset: OrDefault[int] = 0


class PaginateTaskRuns(TaskRunCriteria):
    """Which page of task runs to list."""

    sort: OrDefault[TaskRunSort] = "ID_DESC"
    limit: int | None = None
    page: OrDefault[int] = 1


class TaskRunHistory(TaskRunCriteria, kw_only=True):
    """Which task runs to count in which window."""

    history_start: datetime
    history_end: datetime
    history_interval_seconds: float

    def window(self) -> Window:
        """Check which window of time is meant."""
        return window_of(self.history_start, self.history_end, self.history_interval_seconds)


@list_routes.post("/task_runs/filter", scope="see_flows", hot=True, answers={200: list[TaskRun]})
async def filter_task_runs(call: Call, body: FilterTaskRuns) -> Answer:
    """List task runs."""
    span = slice_of(body.limit, body.offset)
    selection = body.selection(call.workspace)
    return Answer.json(
        await list_task_runs(call.read(), selection, body.sort, span, now=call.received)
    )


@list_routes.post("/task_runs/paginate", scope="see_flows", shared=True, answers={200: Page})
async def paginate_task_runs(call: Call, body: PaginateTaskRuns) -> Answer:
    """List a page of task runs and say how many there are."""
    span = page_of(body.limit, body.page)
    selection = body.selection(call.workspace)
    found = await list_task_runs(call.read(), selection, body.sort, span, now=call.received)
    total = await count_task_runs(call.read(), selection)
    results = [reduced(run) for run in found]
    return Answer.json(paged(results, total, limit=span.limit, page=body.page))


@list_routes.post("/task_runs/count", scope="see_flows", hot=True, shared=True, answers={200: int})
async def count(call: Call, body: TaskRunCriteria) -> Answer:
    """Count task runs."""
    return Answer.json(await count_task_runs(call.read(), body.selection(call.workspace)))


@list_routes.post(
    "/task_runs/history", scope="see_flows", shared=True, answers={200: list[Interval]}
)
async def history(call: Call, body: TaskRunHistory) -> Answer:
    """Count task runs by state over time."""
    selection = body.selection(call.workspace)
    return Answer.json(
        await task_run_history(call.read(), selection, body.window(), now=call.received)
    )
