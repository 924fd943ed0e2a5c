"""Routes of a deployment's schedules."""

from __future__ import annotations

from datetime import timedelta

from armillary.api import Answer, Call, Routes
from armillary.db.unit import Unit
from armillary.deployments import reading
from armillary.deployments.repository import deployments, schedules
from armillary.deployments.scheduled import delete_scheduled
from armillary.deployments.scheduling import Horizon, schedule_at_once, schedule_deployment
from armillary.deployments.schemas import (
    CreateSchedule,
    DeploymentSchedule,
    ScheduleNow,
    UpdateSchedule,
)
from armillary.errors import NotFound
from armillary.orchestration.wire import in_utc

routes = Routes(tag="Deployments")


@routes.get(
    "/deployments/{id:uuid}/schedules",
    scope="see_deployments",
    answers={200: list[DeploymentSchedule]},
)
async def list_schedules(call: Call) -> Answer:
    """List a deployment's schedules."""
    reader = call.read()
    found = await reading.read(reader, call.path["id"], now=call.received)
    if found is None:
        message = "Deployment not found"
        raise NotFound(message)
    return Answer.json(found.schedules)


@routes.post(
    "/deployments/{id:uuid}/schedules",
    scope="write_deployments",
    answers={201: list[DeploymentSchedule]},
    refuses=(409,),
)
async def create_schedules(call: Call, body: list[CreateSchedule]) -> Answer:
    """Add schedules to a deployment."""
    deployment_id = call.path["id"]

    async def work(unit: Unit) -> list[str]:
        await deployments.require(unit, deployment_id)
        added = await schedules.add(unit, call.core.ids, deployment_id, body)
        await schedule_at_once(call.core, unit, deployment_id)
        return added

    added = await call.write(work)
    every = await reading.schedules_of(call.read(), deployment_id)
    by_id = {schedule.id: schedule for schedule in every}
    return Answer.json([by_id[each] for each in added], 201)


@routes.patch(
    "/deployments/{id:uuid}/schedules/{schedule_id:uuid}", scope="write_deployments", refuses=(409,)
)
async def update_schedule(call: Call, body: UpdateSchedule) -> Answer:
    """Change what is given of a schedule; what it had ahead is scheduled anew."""
    deployment_id, schedule_id = call.path["id"], call.path["schedule_id"]

    async def work(unit: Unit) -> None:
        await deployments.require(unit, deployment_id)
        await schedules.update(unit, deployment_id, schedule_id, body)
        await delete_scheduled(unit, deployment_id, auto_only=True, future_only=True)
        await schedule_at_once(call.core, unit, deployment_id)

    await call.write(work)
    return Answer.empty()


@routes.delete("/deployments/{id:uuid}/schedules/{schedule_id:uuid}", scope="write_deployments")
async def delete_schedule(call: Call) -> Answer:
    """Delete a schedule, and every run the deployment's schedules had ahead."""
    deployment_id, schedule_id = call.path["id"], call.path["schedule_id"]

    async def work(unit: Unit) -> None:
        await deployments.require(unit, deployment_id)
        await schedules.delete(unit, deployment_id, schedule_id)
        await delete_scheduled(unit, deployment_id, auto_only=True, future_only=False)
        await schedule_at_once(call.core, unit, deployment_id)

    await call.write(work)
    return Answer.empty()


@routes.post("/deployments/{id:uuid}/schedule", scope="write_deployments")
async def schedule_now(call: Call, body: ScheduleNow) -> Answer:
    """Create scheduled runs right away, paused or not."""
    deployment_id = call.path["id"]
    usual = Horizon()
    ahead = Horizon(
        min_runs=body.min_runs or usual.min_runs,
        max_runs=body.max_runs or usual.max_runs,
        min_time=usual.min_time if body.min_time is None else timedelta(seconds=body.min_time),
    )
    start = call.core.clock.now() if body.start_time is None else in_utc(body.start_time)
    end = None if body.end_time is None else in_utc(body.end_time)

    async def work(unit: Unit) -> None:
        await deployments.require(unit, deployment_id)
        await schedule_deployment(call.core, unit, deployment_id, now=start, ahead=ahead, end=end)

    await call.write(work)
    return Answer.json(None)
