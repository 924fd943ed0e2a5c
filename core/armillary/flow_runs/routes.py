"""Routes of single flow runs: create, read, change, propose states, inputs."""

from __future__ import annotations

import re

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.db.unit import Unit
from armillary.deployments.parameters import ParameterError, check_size
from armillary.errors import Invalid, NotFound, Refused, RunNotFound
from armillary.flow_runs import repository
from armillary.flow_runs.creating import Created, NewFlowRun
from armillary.flow_runs.reading import FlowRunResponse, flow_run_from_row, read_flow_run
from armillary.flow_runs.resuming import resume
from armillary.flow_runs.schemas import (
    CreateFlowRun,
    CreateInput,
    FilterInputs,
    ResumeFlowRun,
    SetState,
    StatesQuery,
    UpdateFlowRun,
)
from armillary.names import slug
from armillary.orchestration.driving import Decided
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import StateType, propose
from armillary.orchestration.wire import OrchestrationResult, WireState, to_wire, wire_from_row

routes = Routes(tag="Flow Runs")

_INPUT_KEY = re.compile(r"[a-z0-9-]*")
_STATE_COLUMNS = "s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details"
_encode = msgspec.json.Encoder().encode


@routes.post(
    "/flow_runs/",
    scope="run_flows",
    answers={201: FlowRunResponse, 200: FlowRunResponse},
    hot=True,
    refuses=(404, 409),
)
async def create_flow_run(call: Call, body: CreateFlowRun) -> Answer:
    """Create a flow run; with a known idempotency key, answer with the one that exists."""
    parameters = sized_parameters(body.parameters)
    core = call.core
    now = core.clock.now()
    queue_id, queue_name = None, body.work_queue_name
    if body.work_pool_name is not None:
        place = await repository.find_queue(call.read(), body.work_pool_name, body.work_queue_name)
        if place is None:
            where = body.work_queue_name or "default"
            message = f"Work queue {where!r} of work pool {body.work_pool_name!r} not found."
            raise NotFound(message)
        queue_id, queue_name = place.queue_id, place.queue_name
    new = NewFlowRun(
        workspace=call.workspace,
        id=core.ids.uuid7(),
        name=body.name or slug(core.chance),
        flow_id=str(body.flow_id),
        proposal=body.state.proposal(now) if body.state else propose(StateType.PENDING),
        client=call.client,
        deployment_id=None if body.deployment_id is None else str(body.deployment_id),
        work_queue_id=queue_id,
        work_queue_name=queue_name,
        flow_version=body.flow_version,
        idempotency_key=body.idempotency_key,
        parent_task_run_id=(
            None if body.parent_task_run_id is None else str(body.parent_task_run_id)
        ),
        infrastructure_document_id=(
            None
            if body.infrastructure_document_id is None
            else str(body.infrastructure_document_id)
        ),
        empirical_policy=body.empirical_policy,
        parameters=parameters,
        context=_encode(body.context).decode(),
        tags=list(dict.fromkeys(body.tags)),
        labels=scalar_labels(body.labels),
        job_variables=None if body.job_variables is None else _encode(body.job_variables).decode(),
    )
    return await answer_created(call, await core.gate.create_flow_run(new))


async def answer_created(call: Call, created: Created) -> Answer:
    """Answer with a created run (201), or with the one there was (200)."""
    now = call.core.clock.micros()
    if created.row is not None:
        return Answer.json(flow_run_from_row(created.row, now=now), 201)
    found = await read_flow_run(call.read(), created.run_id, now=now)
    return Answer.json(found, 201 if created.created else 200)


@routes.get("/flow_runs/{id:uuid}", scope="see_flows", answers={200: FlowRunResponse}, hot=True)
async def get_flow_run(call: Call) -> Answer:
    """Read a flow run with its state."""
    found = await read_flow_run(call.read(), call.path["id"], now=call.received)
    if found is None:
        message = "Flow run not found"
        raise NotFound(message)
    return Answer.json(found)


@routes.post(
    "/flow_runs/{id:uuid}/set_state",
    scope="run_flows",
    answers={201: OrchestrationResult, 200: OrchestrationResult},
    hot=True,
)
async def set_flow_run_state(call: Call, body: SetState) -> Answer:
    """Propose a state for a flow run."""
    decided = await call.core.gate.set_flow_run_state(
        FlowRunProposal(
            workspace=call.workspace,
            run_id=call.path["id"],
            proposal=body.state.proposal(call.core.clock.now()),
            policy="minimal" if body.force else "core",
            client=call.client,
        )
    )
    return answer_decided(decided)


def answer_decided(decided: Decided) -> Answer:
    """Answer a proposal: 201 if a state was written, else 200."""
    result = OrchestrationResult(
        state=None if decided.state is None else to_wire(decided.state),
        status=decided.status,
        details=decided.details,
    )
    return Answer.json(result, 201 if decided.written else 200)


@routes.post(
    "/flow_runs/{id:uuid}/resume",
    scope="run_flows",
    answers={201: OrchestrationResult, 200: OrchestrationResult},
)
async def resume_flow_run(call: Call, body: ResumeFlowRun) -> Answer:
    """Let a paused flow run go on, with the input it waits for."""
    return answer_decided(await resume(call, call.path["id"], body.run_input))


@routes.patch("/flow_runs/{id:uuid}", scope="run_flows")
async def update_flow_run(call: Call, body: UpdateFlowRun) -> Answer:
    """Change what is given of a flow run."""
    changes: dict[str, object] = {}
    if body.name is not msgspec.UNSET:
        changes["name"] = body.name or slug(call.core.chance)
    if body.flow_version is not msgspec.UNSET:
        changes["flow_version"] = body.flow_version
    if isinstance(body.parameters, dict):
        changes["parameters"] = sized_parameters(body.parameters)
    if body.empirical_policy not in (msgspec.UNSET, None):
        changes["empirical_policy"] = _encode(body.empirical_policy).decode()
        changes["retry_type"] = body.empirical_policy.retry_type
    if isinstance(body.tags, list):
        changes["tags"] = body.tags
    if body.infrastructure_pid is not msgspec.UNSET:
        changes["infrastructure_pid"] = body.infrastructure_pid
    run_id = call.path["id"]
    given = body.job_variables
    if given is not msgspec.UNSET:
        changes["job_variables"] = None if given is None else _encode(given).decode()

    async def work(unit: Unit) -> None:
        if isinstance(given, dict):
            await _may_change_variables(unit, run_id)
        await repository.update(unit, run_id, changes)

    await call.write(work)
    return Answer.empty()


async def _may_change_variables(unit: Unit, run_id: str) -> None:
    row = await unit.one(
        "select state_type, deployment_id from flow_run where id = ? and workspace = ?",
        run_id,
        unit.workspace,
    )
    if row is None:
        message = "Flow run not found"
        raise NotFound(message)
    if row[0] != StateType.SCHEDULED.value:
        raise Refused(
            400, f"Job variables can only be updated while the run is scheduled; it is {row[0]}."
        )
    if row[1] is None:
        raise Refused(
            400, "Job variables can only be updated for a run of a deployment; this has none."
        )


@routes.delete("/flow_runs/{id:uuid}", scope="manage_flows")
async def delete_flow_run(call: Call) -> Answer:
    """Delete a flow run and what hangs below it."""
    run_id = call.path["id"]
    if not await call.write(lambda unit: call.core.deletions.delete_flow_run(unit, run_id)):
        message = "Flow run not found"
        raise NotFound(message)
    return Answer.empty()


@routes.patch("/flow_runs/{id:uuid}/labels", scope="run_flows")
async def update_labels(call: Call, body: dict[str, msgspec.Raw]) -> Answer:
    """Lay labels over those of a flow run."""
    labels = scalar_labels(body)
    run_id = call.path["id"]
    if not await call.write(lambda unit: repository.merge_labels(unit, run_id, labels)):
        message = f"Flow run with id {run_id} not found"
        raise RunNotFound(message)
    return Answer.empty()


@routes.post("/flow_runs/{id:uuid}/input", scope="run_flows", answers={201: None}, refuses=(409,))
async def create_input(call: Call, body: CreateInput) -> Answer:
    """Store a value with a flow run under a key."""
    if not _INPUT_KEY.fullmatch(body.key):
        message = (
            f"The input key {body.key!r} must consist of lower-case letters, digits and dashes."
        )
        raise Invalid(message, loc=("body", "key"))
    new_id = call.core.ids.uuid7()
    run_id = call.path["id"]
    await call.write(
        lambda unit: repository.add_input(
            unit,
            new_id=new_id,
            run_id=run_id,
            key=body.key,
            value=body.value,
            sender=body.sender,
        )
    )
    return Answer.json(None, 201)


@routes.post(
    "/flow_runs/{id:uuid}/input/filter",
    scope="see_flows",
    answers={200: list[repository.FlowRunInput]},
)
async def filter_inputs(call: Call, body: FilterInputs) -> Answer:
    """List a flow run's inputs by the beginning of their keys."""
    found = await repository.list_inputs(
        call.read(),
        call.path["id"],
        prefix=body.prefix,
        limit=body.limit,
        without=body.exclude_keys,
    )
    return Answer.json(found)


@routes.get("/flow_runs/{id:uuid}/input/{key}", scope="see_flows", answers={200: str})
async def get_input(call: Call) -> Answer:
    """Read an input's value as plain text."""
    value = await repository.read_input(call.read(), call.path["id"], call.path["key"])
    if value is None:
        message = "Flow run input not found"
        raise NotFound(message)
    return Answer.text(value)


@routes.delete("/flow_runs/{id:uuid}/input/{key}", scope="run_flows")
async def delete_input(call: Call) -> Answer:
    """Delete an input."""
    run_id, key = call.path["id"], call.path["key"]
    if not await call.write(lambda unit: repository.delete_input(unit, run_id, key)):
        message = "Flow run input not found"
        raise NotFound(message)
    return Answer.empty()


@routes.get("/flow_run_states/{id:uuid}", scope="see_flows", answers={200: WireState})
async def get_state(call: Call) -> Answer:
    """Read one state."""
    row = await call.read().one(
        f"select {_STATE_COLUMNS} from flow_run_state s join flow_run r on r.id = s.flow_run_id "
        "where s.id = ? and r.workspace = ?",
        call.path["id"],
        call.workspace,
    )
    if row is None:
        message = "Flow run state not found"
        raise NotFound(message)
    return Answer.json(wire_from_row(row))


@routes.get("/flow_run_states/", scope="see_flows", answers={200: list[WireState]})
async def list_states(call: Call, *, query: StatesQuery) -> Answer:
    """List the states of a flow run, oldest first."""
    rows = await call.read().all(
        f"select {_STATE_COLUMNS} from flow_run_state s join flow_run r on r.id = s.flow_run_id "
        "where s.flow_run_id = ? and r.workspace = ? order by s.timestamp",
        str(query.flow_run_id),
        call.workspace,
    )
    return Answer.json([wire_from_row(row) for row in rows])


def sized_parameters(parameters: dict[str, msgspec.Raw]) -> str:
    """Encode parameters; Invalid where they are larger than is stored."""
    try:
        return check_size(parameters).decode()
    except ParameterError as error:
        raise Invalid(str(error), loc=("body", "parameters")) from error


def scalar_labels(labels: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Check that labels are flat: text, numbers or booleans."""
    for name, value in labels.items():
        if bytes(value).lstrip()[:1] in (b"{", b"["):
            message = f"The label {name!r} must be text, a number or a boolean."
            raise Invalid(message, loc=("body", "labels", name))
    return labels
