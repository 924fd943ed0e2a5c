"""The list of deployments, and its switch that pauses one."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary.deployments.routes import deployments as api
from armillary.forms import Form
from armillary_plugins.ui.actions import back_path, see_other
from armillary_plugins.ui.deployment_schemas import DeploymentPage, DeploymentRow, DeploymentTwin
from armillary_plugins.ui.deployment_shaping import deployment_row, deployment_twin, run_marks
from armillary_plugins.ui.deployments_query import DeploymentsQuery, read_deployments_query
from armillary_plugins.ui.lists import FRAGMENTS, declare_list
from armillary_plugins.ui.repository import deployments as repository
from armillary_plugins.ui.repository.deployments import place_of
from armillary_plugins.ui.schedule_times import schedule_row
from armillary_plugins.ui.site import site_of
from armillary_plugins.ui.twins import declare_twins
from armillary_web.pages import Listed, Twin, twin_paths
from armillary_web.slices import Slice

routes = Routes(tag="Pages", mount="")
_PAGE = 50
_LIST = "/deployments"
_ONE = "/deployments/deployment/{id:uuid}"


@routes.post(f"{_ONE}/pause", scope="write_deployments")
async def pause(call: Call, body: Form) -> Answer:
    """Pause a deployment, and go back to where that was asked for."""
    await api.pause_deployment(call)
    return see_other(call, back_path(body, f"/deployments/deployment/{call.path['id']}"))


@routes.post(f"{_ONE}/resume", scope="write_deployments")
async def resume(call: Call, body: Form) -> Answer:
    """Let a deployment go on, and go back to where that was asked for."""
    await api.resume_deployment(call)
    return see_other(call, back_path(body, f"/deployments/deployment/{call.path['id']}"))


async def make_page(call: Call) -> Listed:
    """Read a page of the list."""
    query, found = await _read_slice(call, read_deployments_query(call.query))
    making = next((one for one in site_of(call.core).added if one.new_path), None)
    page = DeploymentPage(
        rows=await _rows(call, found),
        live_path=query.path(FRAGMENTS + _LIST),
        twins=twin_paths(query.first_page().path()),
        back=query.path(),
        filter=query.form(),
        any_deployments=bool(found.rows) or await repository.any_deployments(call.read()),
        previous_path=_previous(query, found),
        next_path=_following(query, found),
        new_path=making.new_path if making else None,
        new_text=making.new_text if making else "",
    )
    return Listed(page, query.path())


declare_list(routes, _LIST, make_page, template="ui/deployments", scope="see_deployments")


async def make_twin(call: Call, limit: int) -> Twin:
    """Read a part of the list for programs."""
    query = read_deployments_query(call.query)
    found = await _list(call, query, limit=limit)
    rows = await _rows(call, found, pictures=False)
    ends = found.ends(place_of)
    following = query.path(after=ends[1]) if found.more and ends else None
    return Twin(
        kind=DeploymentTwin, rows=[deployment_twin(row) for row in rows], next_path=following
    )


declare_twins(routes, _LIST, make_twin, scope="see_deployments")


async def _list(call: Call, query: DeploymentsQuery, *, limit: int) -> Slice[Row]:
    return await repository.list_deployments(
        call.read(),
        query.condition(),
        limit=limit,
        now=call.received,
        after=query.after,
        before=query.before,
    )


async def _read_slice(call: Call, query: DeploymentsQuery) -> tuple[DeploymentsQuery, Slice[Row]]:
    """Read the rows; right at the beginning the first page is shown, which is full."""
    found = await _list(call, query, limit=_PAGE)
    if query.before is None or found.more:
        return query, found
    return query.first_page(), await _list(call, query.first_page(), limit=_PAGE)


async def _rows(
    call: Call, found: Slice[Row], *, pictures: bool = True
) -> tuple[DeploymentRow, ...]:
    reader, now = call.read(), call.received
    ids = [row[0] for row in found.rows]
    drawn = await repository.last_runs(reader, ids if pictures else [], now=now)
    schedules = await repository.schedules_of(reader, ids)
    moment = from_micros(now)
    return tuple(
        deployment_row(
            row,
            marks=run_marks(drawn.get(row[0], []), now=now),
            schedules=[schedule_row(one, now=moment, fires=0) for one in schedules[row[0]]],
        )
        for row in found.rows
    )


def _previous(query: DeploymentsQuery, found: Slice[Row]) -> str | None:
    if query.after is None and query.before is None:
        return None
    ends = found.ends(place_of)
    return query.path(before=ends[0]) if ends else query.first_page().path()


def _following(query: DeploymentsQuery, found: Slice[Row]) -> str | None:
    ends = found.ends(place_of)
    if ends is None:
        return None
    return query.path(after=ends[1]) if found.more or query.before is not None else None
