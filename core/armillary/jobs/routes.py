"""Routes of jobs, which are Armillary's own: how they go, and trying a dead one again."""

from __future__ import annotations

from typing import Literal, TypeAlias

from armillary.api import Answer, Body, Call, OrDefault, Routes
from armillary.deleting.deletions import finishes_deletion
from armillary.errors import Conflict, NotFound
from armillary.jobs import store
from armillary.jobs.reading import JobShown, Total, list_jobs, read_job, totals
from armillary.paging import slice_of

routes = Routes(tag="Jobs")
_NOT_FOUND = "Job not found."

State: TypeAlias = Literal["waiting", "active", "done", "dead", "aborted"]


class FilterJobs(Body):
    """Which jobs to list."""

    queues: list[str] | None = None
    states: list[State] | None = None
    limit: int | None = None
    offset: OrDefault[int] = 0


@routes.post("/jobs/filter", scope="see_workspace_settings", answers={200: list[JobShown]})
async def filter_jobs(call: Call, body: FilterJobs) -> Answer:
    """List jobs, the newest first; one that is done is shown for an hour."""
    span = slice_of(body.limit, body.offset)
    found = await list_jobs(call.read(), queues=body.queues, states=body.states, span=span)
    return Answer.json(found)


@routes.get("/jobs/totals", scope="see_workspace_settings", answers={200: list[Total]})
async def count_jobs(call: Call) -> Answer:
    """Count the jobs of each queue by state."""
    return Answer.json(await totals(call.read()))


@routes.get("/jobs/{id:uuid}", scope="see_workspace_settings", answers={200: JobShown})
async def get_job(call: Call) -> Answer:
    """Read a job: how far it is, and what went wrong the last time."""
    found = await read_job(call.read(), call.path["id"])
    if found is None:
        raise NotFound(_NOT_FOUND)
    return Answer.json(found)


@routes.delete("/jobs/{id:uuid}", scope="write_workspace_settings", refuses=(409,))
async def discard_job(call: Call) -> Answer:
    """Forget a dead job: what it was to do is not done.

    One that finishes a deletion can only be tried again: what it leaves would never be seen.
    """
    job_id = call.path["id"]
    found = await read_job(call.read(), job_id)
    if found is None:
        raise NotFound(_NOT_FOUND)
    if finishes_deletion(found.queue, found.job):
        message = (
            "The job finishes a deletion and cannot be discarded: what it has not deleted would "
            "stay for ever, and nobody would see it. Try it again."
        )
        raise Conflict(message)
    if await call.write(lambda unit: store.discard(unit, job_id)):
        return Answer.empty()
    message = f"The job is {found.state}: only a dead one can be discarded."
    raise Conflict(message)


@routes.post(
    "/jobs/{id:uuid}/retry", scope="write_workspace_settings", answers={204: None}, refuses=(409,)
)
async def retry_job(call: Call) -> Answer:
    """Try a dead job again, with all its attempts."""
    job_id = call.path["id"]
    if await call.write(lambda unit: store.retry(unit, job_id)):
        return Answer.empty()
    found = await read_job(call.read(), job_id)
    if found is None:
        raise NotFound(_NOT_FOUND)
    message = f"The job is {found.state}: only a dead one can be tried again."
    raise Conflict(message)
