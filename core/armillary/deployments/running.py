"""Making a run of a deployment: what it takes from the deployment, what from the request."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import msgspec

from armillary.api import Call
from armillary.db.unit import Row, Unit
from armillary.deployments import checking
from armillary.deployments.job_variables import variables_of
from armillary.deployments.parameters import merge
from armillary.deployments.schemas import CreateRun
from armillary.errors import NotFound, Refused
from armillary.flow_runs.creating import Created, NewFlowRun
from armillary.flow_runs.routes import scalar_labels
from armillary.names import slug
from armillary.orchestration.states import StateDetails, StateType, propose
from armillary.work_pools.repository import queues

_DEPLOYMENT = """
select d.id, d.flow_id, d.version, d.work_queue_id, d.work_queue_name, d.parameters, d.tags,
  d.labels, d.infrastructure_document_id, d.parameter_openapi_schema, d.enforce_parameter_schema,
  d.job_variables, p.name, p.base_job_template
from deployment d left join work_queue q on q.id = d.work_queue_id
  left join work_pool p on p.id = q.work_pool_id
where d.id = ? and d.workspace = ?
"""
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_tags = msgspec.json.Decoder(list[str]).decode


async def require(call: Call, deployment_id: str) -> Row:
    """Read what runs take from their deployment; NotFound without it."""
    row = await call.read().one(_DEPLOYMENT, deployment_id, call.workspace)
    if row is None:
        message = "Deployment not found"
        raise NotFound(message)
    return row


async def create(call: Call, deployment_id: str, body: CreateRun) -> Created:
    """Make a run.

    Raises Refused (400) where a parameter stands for something that cannot be had, Conflict
    where parameters do not fit the schema, Invalid where job variables do not fit the pool.
    """
    row = await require(call, deployment_id)
    parameters = await _parameters(call, row, body)
    variables = _variables(row)
    checking.check_run_job_variables(
        variables,
        _object(row[11]),
        body.job_variables,
        blocks=await call.core.blocks.behind(call.read(), variables),
    )
    queue_id, queue_name = await _queue(call, row, body)
    core = call.core
    new = NewFlowRun(
        workspace=call.workspace,
        id=core.ids.uuid7(),
        name=body.name or slug(core.chance),
        flow_id=row[1],
        proposal=(
            body.state.proposal(core.clock.now())
            if body.state
            else propose(StateType.SCHEDULED, details=StateDetails(scheduled_time=core.clock.now()))
        ),
        client=call.client,
        deployment_id=deployment_id,
        deployment_version=row[2],
        work_queue_id=queue_id,
        work_queue_name=queue_name,
        idempotency_key=body.idempotency_key,
        parent_task_run_id=_text(body.parent_task_run_id),
        infrastructure_document_id=_text(body.infrastructure_document_id) or row[8],
        empirical_policy=body.empirical_policy,
        parameters=checking.sized(parameters),
        context=_encode(body.context).decode(),
        tags=list(dict.fromkeys([*_tags(row[6]), *body.tags])),
        labels=scalar_labels(body.labels),
        base_labels=_object(row[7]),
        job_variables=None if body.job_variables is None else _encode(body.job_variables).decode(),
        created_by=made_by(call.headers),
    )
    return await core.gate.create_flow_run(new)


async def _parameters(call: Call, row: Row, body: CreateRun) -> dict[str, msgspec.Raw]:
    merged = merge(_object(row[5]), body.parameters)
    parameters = await checking.hydrated_parameters(
        call.read(), call.core.variables, merged, doing="creating flow run"
    )
    enforce = body.enforce_parameter_schema
    if enforce or (enforce is None and row[10]):
        schema = checking.object_schema((row[9] or "").encode())
        checking.enforce_schema(parameters, schema, doing="Error creating flow run")
    return parameters


def _variables(row: Row) -> bytes | None:
    return None if row[13] is None else variables_of(row[13].encode())


async def _queue(call: Call, row: Row, body: CreateRun) -> tuple[str | None, str | None]:
    """Find the queue: the deployment's, or another of its pool, made if it is not there."""
    if body.work_queue_name is None:
        return row[3], row[4]
    name, pool = body.work_queue_name, row[12]
    if pool is None:
        raise Refused(
            400, f"The deployment has no work pool, so its runs cannot be put into queue {name!r}."
        )

    async def work(unit: Unit) -> str:
        return await queues.ensure(unit, call.core.ids, pool, name)

    return await call.write(work), name


def made_by(headers: Mapping[str, str]) -> str | None:
    """Describe the automation a request was made by, if its headers name one."""
    automation = headers.get("prefect-automation-id")
    if automation is None:
        return None
    try:
        name = base64.b64decode(headers.get("prefect-automation-name", "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        name = headers.get("prefect-automation-name", "")
    described = {"id": automation, "type": "AUTOMATION", "display_value": name}
    return _encode(described).decode()


def _text(value: object) -> str | None:
    return None if value is None else str(value)
