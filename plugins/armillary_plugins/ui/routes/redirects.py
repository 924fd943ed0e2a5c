"""Addresses of earlier pages that people have in messages and bookmarks."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary_plugins.ui.site import site_of

routes = Routes(tag="Pages", mount="")


@routes.get("/dashboard", scope=None)
async def redirect_dashboard(call: Call) -> Answer:
    """Lead to the first page."""
    return _moved(call, "/")


@routes.get("/flow-runs", scope=None)
async def redirect_flow_runs(call: Call) -> Answer:
    """Lead to the list of runs."""
    return _moved(call, "/runs")


@routes.get("/flow-runs/flow-run/{id:uuid}", scope=None)
async def redirect_flow_run(call: Call) -> Answer:
    """Lead to a flow run."""
    return _moved(call, f"/runs/flow-run/{call.path['id']}")


@routes.get("/flow-runs/task-run/{id:uuid}", scope=None)
async def redirect_task_run(call: Call) -> Answer:
    """Lead to a task run."""
    return _moved(call, f"/runs/task-run/{call.path['id']}")


def _moved(call: Call, path: str) -> Answer:
    return Answer(b"", 308, headers={"location": site_of(call.core).base_path + path})
