"""Routes that look at many deployments."""

from __future__ import annotations

from functools import partial

import msgspec

from armillary.api import Answer, Body, Call, OrDefault, Routes
from armillary.db.listing import Span
from armillary.deployments.criteria import DeploymentCriteria
from armillary.deployments.filters import DeploymentFilter
from armillary.deployments.repository import deployments
from armillary.deployments.schemas import Deployment
from armillary.deployments.selecting import DeploymentSort, count_deployments, list_deployments
from armillary.errors import NotFound
from armillary.paging import MAX_BULK, Page, bulk_limit, page_of, paged, slice_of
from armillary.work_pools.repository import queues
from armillary.work_pools.schemas import WorkQueue

routes = Routes(tag="Deployments")


class FilterDeployments(DeploymentCriteria):
    """Which deployments to list."""

    sort: OrDefault[DeploymentSort] = "NAME_ASC"
    limit: int | None = None
    offset: OrDefault[int] = 0


class PaginateDeployments(DeploymentCriteria):
    """Which page of deployments to list."""

    sort: OrDefault[DeploymentSort] = "NAME_ASC"
    limit: int | None = None
    page: OrDefault[int] = 1


class DeleteDeployments(Body):
    """Which deployments to delete."""

    deployments: DeploymentFilter | None = None
    limit: OrDefault[int] = MAX_BULK


class Deleted(msgspec.Struct, frozen=True):
    """What was deleted."""

    deleted: list[str]


@routes.post("/deployments/filter", scope="see_deployments", answers={200: list[Deployment]})
async def filter_deployments(call: Call, body: FilterDeployments) -> Answer:
    """List deployments."""
    found = await list_deployments(
        call.read(),
        body.condition(),
        body.sort,
        slice_of(body.limit, body.offset),
        now=call.received,
    )
    return Answer.json(found)


@routes.post("/deployments/paginate", scope="see_deployments", shared=True, answers={200: Page})
async def paginate_deployments(call: Call, body: PaginateDeployments) -> Answer:
    """List a page of deployments and say how many there are."""
    span = page_of(body.limit, body.page)
    condition = body.condition()
    found = await list_deployments(call.read(), condition, body.sort, span, now=call.received)
    total = await count_deployments(call.read(), condition)
    return Answer.json(paged(found, total, limit=span.limit, page=body.page))


@routes.post("/deployments/count", scope="see_deployments", shared=True, answers={200: int})
async def count(call: Call, body: DeploymentCriteria) -> Answer:
    """Count deployments."""
    return Answer.json(await count_deployments(call.read(), body.condition()))


@routes.post("/deployments/bulk_delete", scope="manage_deployments", answers={200: Deleted})
async def bulk_delete(call: Call, body: DeleteDeployments) -> Answer:
    """Delete the first deployments by name that meet a filter."""
    condition = DeploymentCriteria(deployments=body.deployments).condition()
    span = Span(bulk_limit(body.limit))
    found = await list_deployments(call.read(), condition, "NAME_ASC", span, now=call.received)
    deleted = []
    for deployment in found:
        target = deployment.id
        try:
            await call.write(
                partial(
                    deployments.delete,
                    ids=call.core.ids,
                    deployment_id=target,
                    deletions=call.core.deletions,
                )
            )
        except NotFound:
            continue  # somebody else deleted it just now
        deleted.append(target)
    return Answer.json(Deleted(deleted))


@routes.get(
    "/deployments/{id:uuid}/work_queue_check",
    scope="see_deployments",
    answers={200: list[WorkQueue]},
)
async def work_queue_check(call: Call) -> Answer:
    """List the queues a deployment's runs are put into."""
    row = await call.read().one(
        """select p.name, q.name from deployment d
          left join work_queue q on q.id = d.work_queue_id
          left join work_pool p on p.id = q.work_pool_id
        where d.id = ? and d.workspace = ?""",
        call.path["id"],
        call.workspace,
    )
    if row is None:
        message = "Deployment not found."
        raise NotFound(message)
    if row[1] is None:
        return Answer.json([])
    return Answer.json([await queues.read(call.read(), row[0], row[1])])
