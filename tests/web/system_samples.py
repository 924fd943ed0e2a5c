"""Sample data for the page of the system."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from armillary_plugins.ui.system_schemas import (
    Facts,
    JobRow,
    PluginRow,
    PluginState,
    QueueTotals,
    ServiceRow,
    ServiceState,
    SystemPage,
)
from armillary_web.pages import TwinPaths
from armillary_web.shell import Shell

_ID = "0199b1c2-9a00-7c1d-8f2e-5b7a6c3d1f"
_TWINS = TwinPaths(json_path="/system/jobs.json", csv_path="/system/jobs.csv")
_TRACE = 'Traceback (most recent call last):\n  File "jobs.py", line 7\nValueError: out of sorts'


def service_row(now: datetime, state: ServiceState, **changes: Any) -> ServiceRow:
    given: dict[str, Any] = {
        "name": f"scheduler.{state}",
        "plugin": "scheduler",
        "kind": "loop",
        "state": state,
        "interval": 5.0,
        "last": now - timedelta(seconds=3) if state == "well" else None,
        "times": 1204,
        "failures": 2 if state == "failing" else 0,
        "failed": now if state == "failing" else None,
        "error": "ValueError: out of sorts" if state == "failing" else None,
    }
    return ServiceRow(**(given | changes))


def job_row(now: datetime, index: int, state: str, **changes: Any) -> JobRow:
    given: dict[str, Any] = {
        "id": f"{_ID}{index:02d}",
        "queue": "server_background",
        "job": "delete_below",
        "key": f"flow {index}",
        "state": state,
        "arguments": '{"table":"flow"}',
        "created": now - timedelta(minutes=9),
        "due": now - timedelta(minutes=8),
        "started": now - timedelta(minutes=7),
        "ended": now if state == "dead" else None,
        "attempts": 10,
        "attempts_allowed": 10,
        "progress": 0.25 if state == "active" else 0.0,
        "note": "500 rows so far" if state == "active" else None,
        "error": _TRACE if state != "active" else None,
        "discardable": True,
    }
    return JobRow(**(given | changes))


def plugin_row(state: PluginState, **changes: Any) -> PluginRow:
    given: dict[str, Any] = {
        "name": f"moons_{state.replace(' ', '_')}",
        "summary": "Counts moons.",
        "state": state,
        "reason": "The plugin moons is left out: it cannot be imported (ImportError: no sun)."
        if state == "left out"
        else None,
        "installed": "armillary-moons 1.2" if state == "left out" else "",
        "runs": "web, loop" if state == "loaded" else "",
        "requires": (),
    }
    return PluginRow(**(given | changes))


def system_page(now: datetime, **changes: Any) -> SystemPage:
    states: tuple[ServiceState, ...] = ("well", "failing", "overdue", "new", "elsewhere")
    consumer = service_row(
        now, "well", name="event_persister", kind="consumer", interval=None, lag=3, lag_more=True,
        left_out=1,
    )  # fmt: skip
    given: dict[str, Any] = {
        "facts": Facts(
            version="0.1.0",
            prefect_version="3.8.8",
            api_version="0.8.4",
            python="3.11.7",
            started=now - timedelta(hours=5),
            address="http://127.0.0.1:4200",
            targets="all",
            database="SQLite 3.40.1",
            place="sqlite:////home/me/.armillary/armillary.db",
            size=7_340_032,
        ),
        "services": (*(service_row(now, state) for state in states), consumer),
        "queues": (
            QueueTotals(queue="server_background", waiting=2, active=1, done=9, dead=22),
            QueueTotals(queue="cancellation_cleanup"),
        ),
        "dead": (job_row(now, 0, "dead"), job_row(now, 1, "dead", error=None)),
        "dead_count": 22,
        "others": (job_row(now, 2, "active"), job_row(now, 3, "waiting")),
        "plugins": (plugin_row("left out"), plugin_row("loaded"), plugin_row("disabled")),
        "live_path": "/ui/fragments/system",
        "service_twins": _TWINS,
        "job_twins": _TWINS,
        "plugin_twins": _TWINS,
    }
    return SystemPage(**(given | changes))


def pages(shell: Shell, now: datetime) -> dict[str, dict[str, Any]]:
    """The page of the system and its fragment, with the context they expect."""
    page = {"page": system_page(now), "now": now}
    return {"ui/system.html": {"shell": shell} | page, "ui/_system.html": page}
