"""Routes that change many flow runs at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from armillary.api import Answer, Body, Call, OrDefault, Routes
from armillary.db.listing import Span
from armillary.errors import RunNotFound
from armillary.flow_runs.criteria import FlowRunCriteria
from armillary.flow_runs.filters import FlowRunFilter
from armillary.flow_runs.selecting import list_flow_runs
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.verdicts import Status
from armillary.orchestration.wire import CreateState, WireState, to_wire
from armillary.paging import MAX_BULK, bulk_limit

bulk_routes = Routes(tag="Flow Runs")


class DeleteFlowRuns(Body):
    """Which flow runs to delete."""

    flow_runs: FlowRunFilter | None = None
    limit: OrDefault[int] = MAX_BULK


class SetFlowRunStates(Body, kw_only=True):
    """Which flow runs shall have which state."""

    state: CreateState
    flow_runs: FlowRunFilter | None = None
    force: OrDefault[bool] = False
    limit: OrDefault[int] = MAX_BULK


class Deleted(msgspec.Struct, frozen=True):
    """What was deleted."""

    deleted: list[str]


class FlowRunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the proposal for one run."""

    flow_run_id: str
    status: Status
    state: WireState | None
    details: Any


class FlowRunResults(msgspec.Struct, frozen=True):
    """What became of all of them."""

    results: list[FlowRunResult]


async def _chosen(call: Call, flow_runs: FlowRunFilter | None, limit: int) -> list[str]:
    selection = FlowRunCriteria(flow_runs=flow_runs).selection(call.workspace)
    span = Span(bulk_limit(limit))
    found = await list_flow_runs(call.read(), selection, "ID_DESC", span, now=call.received)
    return [run.id for run in found]


@bulk_routes.post("/flow_runs/bulk_delete", scope="manage_flows", answers={200: Deleted})
async def bulk_delete(call: Call, body: DeleteFlowRuns) -> Answer:
    """Delete flow runs that meet a filter."""
    chosen = await _chosen(call, body.flow_runs, body.limit)
    deleted = [
        run_id
        for run_id in chosen
        if await call.write(partial(call.core.deletions.delete_flow_run, run_id=run_id))
    ]
    return Answer.json(Deleted(deleted))


@bulk_routes.post("/flow_runs/bulk_set_state", scope="run_flows", answers={200: FlowRunResults})
async def bulk_set_state(call: Call, body: SetFlowRunStates) -> Answer:
    """Propose one state for every flow run that meets a filter."""
    proposal = body.state.proposal(call.core.clock.now())
    results = []
    for run_id in await _chosen(call, body.flow_runs, body.limit):
        request = FlowRunProposal(
            workspace=call.workspace,
            run_id=run_id,
            proposal=proposal,
            policy="minimal" if body.force else "core",
            client=call.client,
        )
        try:
            decided = await call.core.gate.set_flow_run_state(request)
        except RunNotFound:
            continue  # somebody deleted it just now
        results.append(
            FlowRunResult(
                flow_run_id=run_id,
                status=decided.status,
                state=None if decided.state is None else to_wire(decided.state),
                details=decided.details,
            )
        )
    return Answer.json(FlowRunResults(results))
