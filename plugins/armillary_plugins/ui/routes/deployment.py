"""The page of a deployment."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary.deployments.routes import deployments as api
from armillary.errors import NotFound
from armillary.forms import Form
from armillary_plugins.ui.actions import confirmed, see_other
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.deployment_schemas import DeploymentDetail
from armillary_plugins.ui.deployment_shaping import deployment_detail, run_marks
from armillary_plugins.ui.repository import deployments as repository
from armillary_plugins.ui.repository.runs import list_runs
from armillary_plugins.ui.runs_query import RunsQuery
from armillary_plugins.ui.schedule_times import schedule_row
from armillary_plugins.ui.site import site_of
from armillary_web.pages import Question

routes = Routes(tag="Pages", mount="")
_ONE = "/deployments/deployment/{id:uuid}"
_FIRES = 5
_RUNS = 10


@routes.get(_ONE, scope="see_deployments")
async def show_deployment(call: Call) -> Answer:
    """Show a deployment."""
    site = site_of(call.core)
    shell = site.shell(call, "/deployments")
    detail, now = await make_detail(call), from_micros(call.received)
    return html_answer(call, site.render("deployment", shell=shell, one=detail, now=now))


@routes.get(f"/ui/fragments{_ONE}", scope="see_deployments")
async def show_deployment_fragment(call: Call) -> Answer:
    """Show the part of a deployment that changes."""
    detail, now = await make_detail(call), from_micros(call.received)
    return html_answer(call, site_of(call.core).render("_deployment", one=detail, now=now))


@routes.post(f"{_ONE}/delete", scope="manage_deployments")
async def delete(call: Call, body: Form) -> Answer:
    """Delete a deployment, after it was asked whether that is meant."""
    row = await read(call)
    if confirmed(body):
        await api.delete_deployment(call)
        return see_other(call, "/deployments")
    site = site_of(call.core)
    here = f"/deployments/deployment/{row[0]}"
    question = Question(
        title=f"Delete {row[1]}?",
        consequence="Its schedules and the runs it has ahead go with it; runs that were stay.",
        word="Delete",
        action_path=f"{here}/delete",
        back_path=here,
    )
    shell = site.shell(call, "/deployments", live=False)
    return html_answer(call, site.render("confirm", shell=shell, question=question))


async def read(call: Call) -> Row:
    """Read the deployment the path names; NotFound without it."""
    deployment_id = call.path["id"]
    row = await repository.read_deployment(call.read(), deployment_id, now=call.received)
    if row is None:
        raise NotFound(
            f"There is no deployment {deployment_id}: it was deleted, or belongs to another server."
        )
    return row


async def make_detail(call: Call) -> DeploymentDetail:
    """Read what the page of a deployment shows."""
    row = await read(call)
    reader, now, key = call.read(), call.received, row[0]
    last = await repository.last_runs(reader, [key], now=now)
    schedules = await repository.schedules_of(reader, [key])
    moment = from_micros(now)
    selection = RunsQuery(deployments=key).selection(call.workspace, now=now)
    runs = await list_runs(reader, selection, limit=_RUNS, now=now)
    return deployment_detail(
        row,
        live_path=f"/ui/fragments/deployments/deployment/{key}",
        edit_path=edit_path(call, row),
        marks=run_marks(last[key], now=now),
        schedules=tuple(
            schedule_row(one, now=moment, fires=_FIRES, paused=bool(row[4]))
            for one in schedules[key]
        ),
        runs=runs.rows,
    )


def edit_path(call: Call, row: Row) -> str | None:
    """Where the deployment is edited, if any plugin knows how."""
    for added in site_of(call.core).added:
        if added.edits_deployment is not None and added.edits_deployment(row[0], row[11], row[14]):
            return f"{added.edit_path}/{row[0]}"
    return None
