"""Routes that make runs of deployments, and hand out those that are due."""

from __future__ import annotations

from armillary.api import MAX_PAGE, Answer, Call, Routes, page_limit
from armillary.clock import to_micros
from armillary.deployments import due, running
from armillary.deployments.schemas import CreateRun, CreateRunResult, GetScheduledRuns
from armillary.errors import ArmillaryError, Refused
from armillary.flow_runs.reading import FlowRunResponse
from armillary.flow_runs.routes import answer_created
from armillary.orchestration.wire import in_utc

routes = Routes(tag="Deployments")
_MOST = 100


@routes.post(
    "/deployments/{id:uuid}/create_flow_run",
    scope="run_deployments",
    answers={201: FlowRunResponse, 200: FlowRunResponse},
    refuses=(409,),
)
async def create_flow_run(call: Call, body: CreateRun) -> Answer:
    """Make a run of a deployment."""
    return await answer_created(call, await running.create(call, call.path["id"], body))


@routes.post(
    "/deployments/{id:uuid}/create_flow_run/bulk",
    scope="run_deployments",
    answers={200: dict},
    refuses=(409,),
)
async def create_flow_runs(call: Call, body: list[CreateRun]) -> Answer:
    """Make many runs of a deployment; one that fails does not keep the others."""
    if len(body) > _MOST:
        raise Refused(400, f"At most {_MOST} runs can be made at once, not {len(body)}.")
    await running.require(call, call.path["id"])
    results: list[CreateRunResult] = []
    for each in body:
        try:
            made = await running.create(call, call.path["id"], each)
        except ArmillaryError as error:
            results.append(CreateRunResult(flow_run_id=None, status="FAILED", error=str(error)))
        else:
            results.append(CreateRunResult(flow_run_id=made.run_id, status="CREATED", error=None))
    return Answer.json({"results": results})


@routes.post(
    "/deployments/get_scheduled_flow_runs",
    scope="run_deployments",
    answers={200: list[FlowRunResponse]},
)
async def get_scheduled_flow_runs(call: Call, body: GetScheduledRuns) -> Answer:
    """Hand out the due runs of the deployments a runner serves, in the order of time."""
    ids = [str(each) for each in body.deployment_ids]
    limit = MAX_PAGE if body.limit is None else page_limit(body.limit)
    before = None if body.scheduled_before is None else to_micros(in_utc(body.scheduled_before))
    found = await due.due_runs(call.read(), ids, before=before, limit=limit, now=call.received)
    await due.record_poll(call, ids)
    return Answer.json(found)
