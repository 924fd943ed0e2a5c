"""The first page."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.repository import runs as repository
from armillary_plugins.ui.runs_query import ALWAYS_SHOWN, SHOWN, RunsQuery
from armillary_plugins.ui.schemas import Home, StateCount
from armillary_plugins.ui.site import site_of
from armillary_web.filters import state_look

routes = Routes(tag="Pages", mount="")
_PERIOD = RunsQuery(range="1d")
_FAILURES = RunsQuery(range="1d", state="Failed,Crashed")
_RECENT = RunsQuery()
_SHORT = 8


@routes.get("/", scope="see_flows")
async def show_home(call: Call) -> Answer:
    """Show the counts of a day, what failed, and the latest runs."""
    site = site_of(call.core)
    shell = site.shell(call, "/")
    body = site.render(
        "home", shell=shell, page=await make_home(call), now=from_micros(call.received)
    )
    return html_answer(call, body)


@routes.get("/ui/fragments/home", scope="see_flows")
async def show_home_fragment(call: Call) -> Answer:
    """Show the part of the first page that changes."""
    page = await make_home(call)
    body = site_of(call.core).render("_home", page=page, now=from_micros(call.received))
    return html_answer(call, body)


async def make_home(call: Call) -> Home:
    """Read what the first page shows."""
    reader, now, workspace = call.read(), call.received, call.workspace
    counts = await repository.count_by_state(
        reader,
        {
            state: _PERIOD.selection(workspace, now=now, upcoming=state == "SCHEDULED")
            for state in SHOWN
        },
    )
    failures, recent = [
        await repository.list_runs(
            reader, query.selection(workspace, now=now), limit=_SHORT, now=now
        )
        for query in (_FAILURES, _RECENT)
    ]
    return Home(
        period="Past 24 hours",
        counts=tuple(
            StateCount(
                state_type=state,
                count=min(counts[state], repository.CAP),
                capped=counts[state] > repository.CAP,
                path=_PERIOD.path(state=state_look(state).word),
            )
            for state in SHOWN
            if counts[state] or state in ALWAYS_SHOWN
        ),
        failures=failures.rows,
        recent=recent.rows,
        any_runs=bool(recent.rows) or await repository.any_runs(reader),
        api_url=_api_url(call),
    )


def _api_url(call: Call) -> str:
    """Where clients reach this server, as this browser did."""
    scheme = call.headers.get("x-forwarded-proto", "http")
    host = call.headers.get("x-forwarded-host") or call.headers.get("host", "localhost")
    return f"{scheme}://{host}{site_of(call.core).base_path}/api"
