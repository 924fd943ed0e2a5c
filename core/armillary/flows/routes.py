"""Routes of flows."""

from __future__ import annotations

from armillary.api import Answer, Body, Call, OrDefault, Routes
from armillary.db.listing import Span
from armillary.db.unit import Unit
from armillary.errors import NotFound
from armillary.flows import repository
from armillary.flows.criteria import FlowCriteria
from armillary.flows.filters import FlowFilter
from armillary.flows.reading import FlowSort, count_flows, find_flow, list_flows, read_flow
from armillary.flows.schemas import CreateFlow, Deleted, Flow, UpdateFlow
from armillary.paging import MAX_BULK, Page, bulk_limit, page_of, paged, slice_of

routes = Routes(tag="Flows")


class FilterFlows(FlowCriteria):
    """Which flows to list."""

    sort: OrDefault[FlowSort] = "NAME_ASC"
    limit: int | None = None
    offset: OrDefault[int] = 0


class PaginateFlows(FlowCriteria):
    """Which page of flows to list."""

    sort: OrDefault[FlowSort] = "NAME_ASC"
    limit: int | None = None
    page: OrDefault[int] = 1


class DeleteFlows(Body):
    """Which flows to delete."""

    flows: FlowFilter | None = None
    limit: OrDefault[int] = MAX_BULK


@routes.post("/flows/", scope="run_flows", answers={201: Flow, 200: Flow}, hot=True)
async def create_flow(call: Call, body: CreateFlow) -> Answer:
    """Create a flow; one of that name that exists is answered as it is."""
    name = body.checked_name()
    known = await find_flow(call.read(), name)
    if known is not None:
        return Answer.json(known)

    async def work(unit: Unit) -> tuple[Flow, bool]:
        return await repository.create_flow(
            unit, call.core.ids, name=name, tags=body.tags, labels=body.labels
        )

    flow, created = await call.write(work)
    return Answer.json(flow, 201 if created else 200)


@routes.get("/flows/{id:uuid}", scope="see_flows", answers={200: Flow})
async def get_flow(call: Call) -> Answer:
    """Read a flow."""
    return _found(await read_flow(call.read(), call.path["id"]), "Flow not found")


@routes.get("/flows/name/{name}", scope="see_flows", answers={200: Flow})
async def get_flow_by_name(call: Call) -> Answer:
    """Read a flow by its name."""
    name = call.path["name"]
    return _found(await find_flow(call.read(), name), f"Flow {name} not found")


def _found(flow: Flow | None, missing: str) -> Answer:
    if flow is None:
        raise NotFound(missing)
    return Answer.json(flow)


@routes.patch("/flows/{id:uuid}", scope="run_flows")
async def update_flow(call: Call, body: UpdateFlow) -> Answer:
    """Replace a flow's tags."""
    flow_id = call.path["id"]
    await call.write(lambda unit: repository.update_flow(unit, call.core.ids, flow_id, body.tags))
    return Answer.empty()


@routes.delete("/flows/{id:uuid}", scope="manage_flows")
async def delete_flow(call: Call) -> Answer:
    """Delete a flow with its deployments and runs."""
    await _delete(call, call.path["id"])
    return Answer.empty()


async def _delete(call: Call, flow_id: str) -> None:
    core = call.core
    await call.write(lambda unit: repository.delete_flow(unit, core.ids, flow_id, core.deletions))


@routes.post("/flows/filter", scope="see_flows", answers={200: list[Flow]})
async def filter_flows(call: Call, body: FilterFlows) -> Answer:
    """List flows."""
    span = slice_of(body.limit, body.offset)
    return Answer.json(await list_flows(call.read(), body.condition(), body.sort, span))


@routes.post("/flows/paginate", scope="see_flows", shared=True, answers={200: Page})
async def paginate_flows(call: Call, body: PaginateFlows) -> Answer:
    """List a page of flows and say how many there are."""
    span = page_of(body.limit, body.page)
    condition = body.condition()
    found = await list_flows(call.read(), condition, body.sort, span)
    total = await count_flows(call.read(), condition)
    return Answer.json(paged(found, total, limit=span.limit, page=body.page))


@routes.post("/flows/count", scope="see_flows", shared=True, answers={200: int})
async def count(call: Call, body: FlowCriteria) -> Answer:
    """Count flows."""
    return Answer.json(await count_flows(call.read(), body.condition()))


@routes.post("/flows/bulk_delete", scope="manage_flows", answers={200: Deleted})
async def bulk_delete(call: Call, body: DeleteFlows) -> Answer:
    """Delete the first flows by name that meet a filter, with their deployments and runs."""
    span = Span(bulk_limit(body.limit))
    condition = FlowCriteria(flows=body.flows).condition()
    deleted = []
    for flow in await list_flows(call.read(), condition, "NAME_ASC", span):
        try:
            await _delete(call, flow.id)
        except NotFound:
            continue  # somebody else deleted it just now
        deleted.append(flow.id)
    return Answer.json(Deleted(deleted))
