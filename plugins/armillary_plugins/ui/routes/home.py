"""The first page."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.repository import runs as repository
from armillary_plugins.ui.repository.runs import Place
from armillary_plugins.ui.runs_query import ALWAYS_SHOWN, SHOWN, RunsQuery
from armillary_plugins.ui.schemas import Home, RunRow, StateCount
from armillary_plugins.ui.site import site_of
from armillary_web.filters import state_look

routes = Routes(tag="Pages", mount="")
_PERIOD = RunsQuery(range="1d")
_FAILURES = RunsQuery(range="1d", state="Failed,Crashed")
_LATE = RunsQuery(state="Late")
_RUNNING = RunsQuery(state="Running,Pending,Cancelling")
_AHEAD = RunsQuery(state="Scheduled")
_RECENT = RunsQuery()
_SHORT = 8
_USUAL = "http://127.0.0.1:4200"


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
            **{
                state: _PERIOD.selection(workspace, now=now, upcoming=state == "SCHEDULED")
                for state in SHOWN
            },
            "late": _LATE.selection(workspace, now=now),
        },
    )
    failed = counts["FAILED"] + counts["CRASHED"]
    recent = await _rows(call, _RECENT)
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
        running=await _rows(call, _RUNNING),
        failures=await _rows(call, _FAILURES) if failed else (),
        late=await _rows(call, _LATE) if counts["late"] else (),
        upcoming=await _upcoming(call),
        recent=recent,
        late_count=counts["late"],
        failed_count=failed,
        capped=repository.CAP,
        late_path=_LATE.path(),
        failed_path=_FAILURES.path(),
        any_runs=bool(recent) or await repository.any_runs(reader),
        api_url=f"{_address(call)}/api",
        server_words="" if _address(call) == _USUAL else f" --server {_address(call)}",
    )


async def _rows(call: Call, query: RunsQuery) -> tuple[RunRow, ...]:
    selection = query.selection(call.workspace, now=call.received)
    found = await repository.list_runs(call.read(), selection, limit=_SHORT, now=call.received)
    return found.rows


async def _upcoming(call: Call) -> tuple[RunRow, ...]:
    """List the runs that come next, the soonest first."""
    found = await repository.list_runs(
        call.read(),
        _AHEAD.selection(call.workspace, now=call.received),
        limit=_SHORT,
        now=call.received,
        after=Place(call.received, ""),
    )
    return found.rows[::-1]


def _address(call: Call) -> str:
    """Where this server is reached, as this browser did."""
    scheme = call.headers.get("x-forwarded-proto", "http")
    host = call.headers.get("x-forwarded-host") or call.headers.get("host", "localhost")
    return f"{scheme}://{host}{site_of(call.core).base_path}"
