"""Routes of single task runs and their states."""

from __future__ import annotations

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.errors import NotFound
from armillary.flow_runs.routes import answer_decided, scalar_labels
from armillary.names import slug
from armillary.orchestration.states import StateType, propose
from armillary.orchestration.wire import OrchestrationResult, WireState, in_utc
from armillary.task_runs import repository
from armillary.task_runs.creating import NewTaskRun
from armillary.task_runs.gate import TaskRunProposal, policy_for
from armillary.task_runs.schemas import (
    CreateTaskRun,
    SetTaskRunState,
    StatesQuery,
    TaskRun,
    UpdateTaskRun,
    check_key,
    check_policy,
)

routes = Routes(tag="Task Runs")

_encode = msgspec.json.Encoder().encode


@routes.post("/task_runs/", scope="run_tasks", answers={201: TaskRun, 200: TaskRun}, refuses=(409,))
async def create_task_run(call: Call, body: CreateTaskRun) -> Answer:
    """Create a task run; one that exists by its keys is answered as it is."""
    core = call.core
    new = NewTaskRun(
        workspace=call.workspace,
        id=core.ids.uuid7() if body.id is None else str(body.id),
        name=body.name or slug(core.chance),
        flow_run_id=None if body.flow_run_id is None else str(body.flow_run_id),
        task_key=check_key("task_key", body.task_key),
        dynamic_key=check_key("dynamic_key", body.dynamic_key),
        proposal=(
            body.state.proposal(core.clock.now()) if body.state else propose(StateType.PENDING)
        ),
        client=call.client,
        cache_key=body.cache_key,
        cache_expiration=None if body.cache_expiration is None else in_utc(body.cache_expiration),
        task_version=body.task_version,
        empirical_policy=check_policy(body.empirical_policy),
        task_inputs=_encode(body.task_inputs).decode(),
        tags=list(dict.fromkeys(body.tags)),
        labels=scalar_labels(body.labels),
    )
    run_id, created = await core.gate.task_runs.create_task_run(new)
    found = await repository.read_task_run(call.read(), run_id, now=core.clock.micros())
    return Answer.json(found, 201 if created else 200)


@routes.get("/task_runs/{id:uuid}", scope="see_flows", answers={200: TaskRun})
async def get_task_run(call: Call) -> Answer:
    """Read a task run with its state."""
    found = await repository.read_task_run(
        call.read(), call.path["id"], now=call.core.clock.micros()
    )
    if found is None:
        message = "Task not found"
        raise NotFound(message)
    return Answer.json(found)


@routes.patch("/task_runs/{id:uuid}", scope="run_tasks")
async def update_task_run(call: Call, body: UpdateTaskRun) -> Answer:
    """Give a task run another name."""
    await call.write(lambda unit: repository.rename(unit, call.path["id"], body.name))
    return Answer.empty()


@routes.delete("/task_runs/{id:uuid}", scope="manage_flows")
async def delete_task_run(call: Call) -> Answer:
    """Delete a task run with its states."""
    await call.write(lambda unit: repository.delete(unit, call.path["id"], call.core.deletions))
    return Answer.empty()


@routes.post(
    "/task_runs/{id:uuid}/set_state",
    scope="run_tasks",
    answers={201: OrchestrationResult, 200: OrchestrationResult},
)
async def set_task_run_state(call: Call, body: SetTaskRunState) -> Answer:
    """Propose a state for a task run."""
    proposal = body.state.proposal(call.core.clock.now())
    decided = await call.core.gate.task_runs.set_task_run_state(
        TaskRunProposal(
            workspace=call.workspace,
            run_id=call.path["id"],
            proposal=proposal,
            policy=policy_for(proposal, force=body.force),
            client=call.client,
        )
    )
    return answer_decided(decided)


@routes.get("/task_run_states/{id:uuid}", scope="see_flows", answers={200: WireState})
async def get_task_run_state(call: Call) -> Answer:
    """Read one state of a task run."""
    found = await repository.read_state(call.read(), call.path["id"])
    if found is None:
        message = "Task run state not found"
        raise NotFound(message)
    return Answer.json(found)


@routes.get("/task_run_states/", scope="see_flows", answers={200: list[WireState]})
async def list_task_run_states(call: Call, *, query: StatesQuery) -> Answer:
    """List a task run's states, the first one first."""
    return Answer.json(await repository.list_states(call.read(), str(query.task_run_id)))
