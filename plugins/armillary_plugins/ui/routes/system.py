"""The page of the system: its services, jobs, plugins and database, and what helps dead jobs."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.db.listing import Span
from armillary.forms import Form
from armillary.jobs.reading import list_jobs, totals
from armillary.jobs.routes import discard_job, retry_job
from armillary_plugins.ui.actions import see_other
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.repository.system import read_store
from armillary_plugins.ui.site import site_of
from armillary_plugins.ui.system_schemas import JobRow, PluginRow, ServiceRow, SystemPage
from armillary_plugins.ui.system_shaping import (
    facts,
    job_row,
    plugin_rows,
    queue_totals,
    service_rows,
)
from armillary_plugins.ui.twins import declare_twins
from armillary_web.pages import Twin, twin_paths

routes = Routes(tag="Pages", mount="")
_PAGE = "/system"
_FRAGMENT = f"/ui/fragments{_PAGE}"
_SHOWN = 20
"""Jobs shown, of the dead ones and of the others."""
_SEE, _CHANGE = "see_workspace_settings", "write_workspace_settings"


@routes.get(_PAGE, scope=_SEE)
async def show_system(call: Call) -> Answer:
    """Show how the server itself is."""
    site = site_of(call.core)
    shell = site.shell(call, _PAGE)
    body = site.render(
        "system", shell=shell, page=await make_page(call), now=from_micros(call.received)
    )
    return html_answer(call, body)


@routes.get(_FRAGMENT, scope=_SEE)
async def show_system_fragment(call: Call) -> Answer:
    """Show the part of it that changes."""
    page = await make_page(call)
    body = site_of(call.core).render("_system", page=page, now=from_micros(call.received))
    return html_answer(call, body)


@routes.post(f"{_PAGE}/jobs/{{id:uuid}}/retry", scope=_CHANGE)
async def retry(call: Call, body: Form) -> Answer:  # noqa: ARG001 - a button is all of the form
    """Try a dead job again."""
    await retry_job(call)
    return see_other(call, f"{_PAGE}#jobs")


@routes.post(f"{_PAGE}/jobs/{{id:uuid}}/discard", scope=_CHANGE)
async def discard(call: Call, body: Form) -> Answer:  # noqa: ARG001 - the same
    """Forget a dead job."""
    await discard_job(call)
    return see_other(call, f"{_PAGE}#jobs")


async def make_services_twin(call: Call, limit: int) -> Twin:
    """Show the services to programs."""
    return Twin(kind=ServiceRow, rows=service_rows(call.core, now=call.received)[:limit])


async def make_jobs_twin(call: Call, limit: int) -> Twin:
    """Show the newest jobs in any state to programs."""
    found = await list_jobs(call.read(), queues=None, states=None, span=Span(limit))
    return Twin(kind=JobRow, rows=[job_row(job) for job in found])


async def make_plugins_twin(call: Call, limit: int) -> Twin:
    """Show the plugins to programs."""
    return Twin(kind=PluginRow, rows=plugin_rows(call.core)[:limit])


declare_twins(routes, f"{_PAGE}/services", make_services_twin, scope=_SEE)
declare_twins(routes, f"{_PAGE}/jobs", make_jobs_twin, scope=_SEE)
declare_twins(routes, f"{_PAGE}/plugins", make_plugins_twin, scope=_SEE)


async def make_page(call: Call) -> SystemPage:
    """Put together what is known."""
    core, reader = call.core, call.read()
    queues = queue_totals(core, await totals(reader))
    dead, others = [
        await list_jobs(reader, queues=None, states=states, span=Span(_SHOWN))
        for states in (["dead"], ["active", "waiting"])
    ]
    return SystemPage(
        facts=facts(core, await read_store(core.database.read(None))),
        services=service_rows(core, now=call.received),
        queues=queues,
        dead=tuple(job_row(job) for job in dead),
        dead_count=sum(queue.dead for queue in queues),
        others=tuple(job_row(job) for job in others),
        plugins=plugin_rows(core),
        live_path=_FRAGMENT,
        service_twins=twin_paths(f"{_PAGE}/services"),
        job_twins=twin_paths(f"{_PAGE}/jobs"),
        plugin_twins=twin_paths(f"{_PAGE}/plugins"),
    )
