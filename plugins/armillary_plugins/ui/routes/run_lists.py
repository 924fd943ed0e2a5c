"""The lists on a flow run's page, for programs: its states and its task runs."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.api import Call, Routes
from armillary.clock import from_micros
from armillary_plugins.ui.repository import run as repository
from armillary_plugins.ui.routes.run import TASKS_AFTER, place_of, read_run
from armillary_plugins.ui.schemas import StateRow
from armillary_plugins.ui.shaping import state_rows, task_rows
from armillary_plugins.ui.twins import declare_twins
from armillary_web.pages import Twin

routes = Routes(tag="Pages", mount="")
_RUN = "/runs/flow-run/{id:uuid}"


class TaskRunTwin(msgspec.Struct, frozen=True, kw_only=True):
    """A task run as programs read it."""

    id: str
    name: str
    state_type: str | None
    state_name: str | None
    start_time: datetime | None
    duration: float | None
    run_count: int
    child_run_id: str | None


async def make_states_twin(call: Call, limit: int) -> Twin:
    """Read a run's latest states, oldest first; the page shows no more of them."""
    row = await read_run(call)
    rows = state_rows(await repository.list_states(call.read(), row[0]))
    return Twin(kind=StateRow, rows=rows[-limit:])


async def make_tasks_twin(call: Call, limit: int) -> Twin:
    """Read a part of a run's task runs as they began."""
    row = await read_run(call)
    found = await repository.list_task_runs(
        call.read(), row[0], limit=limit, after=place_of(call.query.get(TASKS_AFTER))
    )
    now = call.received
    rows = [
        TaskRunTwin(**{name: getattr(one, name) for name in TaskRunTwin.__struct_fields__})
        for one in task_rows(found.rows, begin=None, end=from_micros(now), now=now)
    ]
    following = None
    if found.more and found.places:
        last = found.places[1]
        following = f"/runs/flow-run/{row[0]}/task-runs?{TASKS_AFTER}={last.began}.{last.id}"
    return Twin(kind=TaskRunTwin, rows=rows, next_path=following)


declare_twins(routes, f"{_RUN}/states", make_states_twin, scope="see_flows")
declare_twins(routes, f"{_RUN}/task-runs", make_tasks_twin, scope="see_flows")
