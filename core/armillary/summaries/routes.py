"""Routes of the summaries, below ``/ui``."""

from __future__ import annotations

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.criteria import texts
from armillary.db.listing import Span
from armillary.errors import NotFound
from armillary.summaries import repository
from armillary.summaries.schemas import (
    CountByState,
    DashboardCriteria,
    FlowRunPoints,
    NamedFlowRuns,
    NamedFlows,
    SimpleFlowRun,
    SimpleNextFlowRun,
    TaskRunCount,
    UITaskRun,
)
from armillary.task_runs.criteria import TaskRunCriteria
from armillary.task_runs.repository import read_task_run

routes = Routes(tag="UI")


@routes.post(
    "/ui/flow_runs/history", scope="see_flows", shared=True, answers={200: list[SimpleFlowRun]}
)
async def flow_run_points(call: Call, body: FlowRunPoints) -> Answer:
    """List flow runs as points in time."""
    selection = body.selection(call.workspace)
    span = Span(body.limit, body.offset)
    return Answer.json(
        await repository.list_points(call.read(), selection, body.sort, span, now=call.received)
    )


@routes.post(
    "/ui/flow_runs/count-task-runs", scope="see_flows", shared=True, answers={200: dict[str, int]}
)
async def count_task_runs(call: Call, body: NamedFlowRuns) -> Answer:
    """Count the task runs of each of some flow runs."""
    ids = texts(body.flow_run_ids) or []
    return Answer.json(await repository.count_task_runs_of(call.read(), ids))


@routes.post(
    "/ui/flows/count-deployments", scope="see_flows", shared=True, answers={200: dict[str, int]}
)
async def count_deployments(call: Call, body: NamedFlows) -> Answer:
    """Count the deployments of each of some flows."""
    ids = texts(body.flow_ids) or []
    return Answer.json(await repository.count_deployments_of(call.read(), ids))


@routes.post(
    "/ui/flows/next-runs",
    scope="see_flows",
    answers={200: dict[str, SimpleNextFlowRun | None]},
)
async def next_runs(call: Call, body: NamedFlows) -> Answer:
    """Show the run of each of some flows that starts next."""
    ids = texts(body.flow_ids) or []
    return Answer.json(await repository.next_runs_of(call.read(), ids))


@routes.post("/ui/task_runs/count", scope="see_flows", shared=True, answers={200: CountByState})
async def count_by_state(call: Call, body: TaskRunCriteria) -> Answer:
    """Count task runs by their state."""
    selection = body.selection(call.workspace)
    return Answer.json(await repository.count_by_state(call.read(), selection))


@routes.post(
    "/ui/task_runs/dashboard/counts",
    scope="see_flows",
    shared=True,
    answers={200: list[TaskRunCount]},
)
async def dashboard(call: Call, body: DashboardCriteria) -> Answer:
    """Count how task runs ended, in twenty parts of a window of time."""
    window = body.window(call.core.clock.now())
    selection = body.selection(call.workspace)
    return Answer.json(await repository.count_by_time(call.read(), selection, window))


@routes.get("/ui/task_runs/{id:uuid}", scope="see_flows", answers={200: UITaskRun})
async def get_task_run(call: Call) -> Answer:
    """Read a task run with the name of its flow run."""
    reader = call.read()
    found = await read_task_run(reader, call.path["id"], now=call.received)
    if found is None:
        message = "Task not found"
        raise NotFound(message)
    run_id = found.flow_run_id
    name = None if run_id is None else await repository.name_of_flow_run(reader, run_id)
    return Answer.json(UITaskRun(**msgspec.structs.asdict(found), flow_run_name=name))
