"""Routes of single deployments."""

from __future__ import annotations

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.db.unit import Unit
from armillary.deployments import checking, reading
from armillary.deployments.repository import deployments
from armillary.deployments.scheduling import schedule_at_once
from armillary.deployments.schemas import CreateDeployment, Deployment, UpdateDeployment
from armillary.errors import NotFound
from armillary.flow_runs.routes import scalar_labels
from armillary.names import require_name

routes = Routes(tag="Deployments")
_NOT_FOUND = "Deployment not found"


@routes.post(
    "/deployments/",
    scope="write_deployments",
    answers={201: Deployment, 200: Deployment},
    refuses=(404, 409),
)
async def create_deployment(call: Call, body: CreateDeployment) -> Answer:
    """Make a deployment, or change the one of that flow and name."""
    require_name(body.name, "deployment")
    scalar_labels(body.labels)
    parameters = checking.created_parameters(body)

    async def work(unit: Unit) -> tuple[str, bool]:
        await checking.check_new_job_variables(unit, call.core.blocks, body)
        made = await deployments.upsert(unit, call.core.ids, body, parameters=parameters)
        await schedule_at_once(call.core, unit, made[0])
        return made

    deployment_id, created = await call.write(work)
    found = await reading.read(call.read(), deployment_id, now=call.received)
    return Answer.json(found, 201 if created else 200)


@routes.get("/deployments/{id:uuid}", scope="see_deployments", answers={200: Deployment})
async def get_deployment(call: Call) -> Answer:
    """Read a deployment."""
    return _found(await reading.read(call.read(), call.path["id"], now=call.received))


@routes.get(
    "/deployments/name/{flow_name}/{deployment_name}",
    scope="see_deployments",
    answers={200: Deployment},
)
async def get_deployment_by_name(call: Call) -> Answer:
    """Read a deployment by its flow's name and its own."""
    return _found(
        await reading.read_by_name(
            call.read(), call.path["flow_name"], call.path["deployment_name"], now=call.received
        )
    )


def _found(deployment: Deployment | None) -> Answer:
    if deployment is None:
        raise NotFound(_NOT_FOUND)
    return Answer.json(deployment)


@routes.patch("/deployments/{id:uuid}", scope="write_deployments", refuses=(409,))
async def update_deployment(call: Call, body: UpdateDeployment) -> Answer:
    """Change what is given of a deployment."""
    deployment_id = call.path["id"]

    async def work(unit: Unit) -> None:
        await deployments.require(unit, deployment_id)
        parameters = await checking.patched_parameters(
            unit, call.core.variables, deployment_id, body
        )
        await checking.check_patched_job_variables(unit, call.core.blocks, deployment_id, body)
        await deployments.patch(unit, call.core.ids, deployment_id, body, parameters=parameters)
        await schedule_at_once(call.core, unit, deployment_id)

    await call.write(work)
    return Answer.empty()


@routes.delete("/deployments/{id:uuid}", scope="manage_deployments")
async def delete_deployment(call: Call) -> Answer:
    """Delete a deployment with its schedules and the runs it has ahead."""
    deployment_id, core = call.path["id"], call.core
    await call.write(lambda unit: deployments.delete(unit, core.ids, deployment_id, core.deletions))
    return Answer.empty()


@routes.post("/deployments/{id:uuid}/pause_deployment", scope="write_deployments")
async def pause_deployment(call: Call) -> Answer:
    """Stop scheduling a deployment."""
    return await _set_paused(call, paused=True)


@routes.post("/deployments/{id:uuid}/resume_deployment", scope="write_deployments")
async def resume_deployment(call: Call) -> Answer:
    """Schedule a deployment again."""
    return await _set_paused(call, paused=False)


async def _set_paused(call: Call, *, paused: bool) -> Answer:
    deployment_id = call.path["id"]

    async def work(unit: Unit) -> None:
        await deployments.set_paused(unit, call.core.ids, deployment_id, paused=paused)
        await schedule_at_once(call.core, unit, deployment_id)

    await call.write(work)
    return Answer.json(msgspec.Raw(b"null"))
