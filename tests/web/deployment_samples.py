"""Sample data for the pages of deployments and schedules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from armillary_plugins.ui.deployment_schemas import (
    DeploymentDetail,
    DeploymentFilterForm,
    DeploymentPage,
    DeploymentRow,
    Fire,
    ParameterRow,
    RunFormPage,
    RunMark,
    SchedulePage,
    ScheduleRow,
)
from armillary_plugins.ui.forms.fields import Field, Option
from armillary_plugins.ui.schemas import Choice, FilterChip, RunRow
from armillary_web.pages import TwinPaths
from armillary_web.shell import Shell

DEPLOYMENT_ID = "0199b1c2-9a00-7c1d-8f2e-5b7a6c3d1e91"
SCHEDULE_ID = "0199b1c2-9a00-7c1d-8f2e-5b7a6c3d1e9"
ZONE = ZoneInfo("Europe/Vienna")


def marks() -> tuple[RunMark, ...]:
    kinds = ("COMPLETED", "COMPLETED", "FAILED", "RUNNING")
    return tuple(
        RunMark(
            css=kind.lower(),
            word=kind.capitalize(),
            top=24 - 6 * (place + 1),
            height=6 * (place + 1),
            title=f"{kind.capitalize()}: run-{place}",
        )
        for place, kind in enumerate(kinds)
    )


def schedule(place: int = 0, **changes: Any) -> ScheduleRow:
    first = datetime(2027, 3, 27, 2, 30, tzinfo=ZONE)
    given: dict[str, Any] = {
        "id": f"{SCHEDULE_ID}{place}",
        "deployment_id": DEPLOYMENT_ID,
        "words": "cron 30 2 * * *",
        "timezone": "Europe/Vienna",
        "active": True,
        "slug": "nightly",
        "fires": (Fire(moment=first), Fire(moment=first + timedelta(days=1), shifted=True)),
        "deployment_name": "production",
        "flow_name": "nightly-invoices",
        "next_run": first,
    }
    return ScheduleRow(**(given | changes))


def schedules() -> tuple[ScheduleRow, ...]:
    return (
        schedule(),
        schedule(1, active=False, fires=(), next_run=None),
        schedule(2, fires=(), paused=True, slug=None),
        schedule(3, fires=(), problem="The cron expression '61 * * * *' is not one."),
    )


def deployment_row(place: int = 0, **changes: Any) -> DeploymentRow:
    given: dict[str, Any] = {
        "id": f"{SCHEDULE_ID}{place}",
        "name": ("production", "hourly", "backfill-2026")[place],
        "flow_id": DEPLOYMENT_ID,
        "flow_name": "nightly-invoices",
        "paused": place == 1,
        "status": "READY",
        "pool": "local" if place else None,
        "queue": "default",
        "tags": ("finance", "eu-west"),
        "schedules": ("cron 30 2 * * *", "every 1h")[: 2 - place],
        "next_run": None,
        "marks": marks() if place < 2 else (),
    }
    return DeploymentRow(**(given | changes))


def deployment_page(**changes: Any) -> DeploymentPage:
    given: dict[str, Any] = {
        "rows": tuple(deployment_row(place) for place in range(3)),
        "live_path": "/ui/fragments/deployments",
        "twins": TwinPaths(json_path="/deployments.json", csv_path="/deployments.csv"),
        "back": "/deployments?status=paused",
        "filter": DeploymentFilterForm(
            name="prod",
            choices=(Choice(value="paused", text="Paused"),),
            chips=(FilterChip(text="Name has prod", remove_path="/deployments"),),
        ),
        "next_path": "/deployments?after=production~1",
        "new_path": "/commands/new",
        "new_text": "New command",
    }
    return DeploymentPage(**(given | changes))


def schedule_page() -> SchedulePage:
    return SchedulePage(
        rows=schedules(),
        live_path="/ui/fragments/schedules",
        twins=TwinPaths(json_path="/schedules.json", csv_path="/schedules.csv"),
        back="/schedules",
        next_path="/schedules?after=1.1",
    )


def detail(*, now: datetime, runs: tuple[RunRow, ...], **changes: Any) -> DeploymentDetail:
    given: dict[str, Any] = {
        "id": DEPLOYMENT_ID,
        "name": "production",
        "flow_id": DEPLOYMENT_ID,
        "flow_name": "nightly-invoices",
        "paused": False,
        "status": "READY",
        "live_path": f"/ui/fragments/deployments/deployment/{DEPLOYMENT_ID}",
        "description": "Makes the invoices of the day before.",
        "command": "backup.sh --all",
        "version": "1.4",
        "pool": "local",
        "queue": "default",
        "tags": ("finance",),
        "concurrency_limit": 3,
        "slots_taken": 1,
        "next_run": now,
        "last_polled": now,
        "created": now,
        "updated": now,
        "schedules": schedules(),
        "parameters": (
            ParameterRow(
                name="month", kind="string", value='"05"', origin="deployment", description="Which."
            ),
        ),
        "job_variables": '{"command": "backup.sh --all"}',
        "marks": marks(),
        "runs": runs,
        "edit_path": f"/commands/{DEPLOYMENT_ID}",
    }
    return DeploymentDetail(**(given | changes))


def run_form() -> RunFormPage:
    kinds = ("text", "long", "integer", "number", "boolean", "choice", "json")
    simple = tuple(
        Field(
            name=f"p/{kind}",
            label=kind,
            kind=kind,  # type: ignore[arg-type]  # they are kinds
            value="true" if kind == "boolean" else "1",
            description="What it is for",
            error="It has to be more." if kind == "integer" else None,
            required=kind == "text",
            options=(Option(value="1", text="one", chosen=True),),
        )
        for kind in kinds
    )
    entry = Field(name="p/list/0", label="Entry 1", kind="text", value="a", removable=True)
    groups = (
        Field(name="p/box", label="Box", kind="boolean", value="true", boxed=True),
        Field(name="p/group", label="Group", kind="object", given=False, parts=(entry,)),
        Field(
            name="p/list",
            label="List",
            kind="array",
            value="1",
            parts=(Field(name="p/list/0/a", label="a", kind="text"),),
        ),
        Field(
            name="p/some",
            label="Some",
            kind="choices",
            options=(Option(value='"red"', text="red", chosen=True),),
        ),
    )
    return RunFormPage(
        deployment_id=DEPLOYMENT_ID,
        name="production",
        flow_name="nightly-invoices",
        fields=(*simple, *groups),
        wrong=1,
        start_problem="'soon' is no time.",
        enforces=False,
    )


def pages(*, shell: Shell, now: datetime, runs: tuple[RunRow, ...]) -> dict[str, dict[str, Any]]:
    """The pages of deployments and schedules with the context they expect."""
    one = detail(now=now, runs=runs)
    deployments = {"page": deployment_page(), "now": now}
    all_schedules = {"page": schedule_page(), "now": now}
    return {
        "ui/deployments.html": {"shell": shell, **deployments},
        "ui/_deployments.html": deployments,
        "ui/schedules.html": {"shell": shell, **all_schedules},
        "ui/_schedules.html": all_schedules,
        "ui/deployment.html": {"shell": shell, "one": one, "now": now},
        "ui/run_form.html": {"shell": shell, "page": run_form()},
        "ui/_deployment.html": {"one": one, "now": now},
    }
