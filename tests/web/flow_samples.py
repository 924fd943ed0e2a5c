"""Sample data for the pages of flows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from armillary_plugins.ui.deployment_schemas import RunMark
from armillary_plugins.ui.flow_schemas import FlowDeployment, FlowDetail, FlowPage, FlowRow
from armillary_plugins.ui.schemas import FilterChip, RunRow
from armillary_web.pages import TwinPaths
from armillary_web.shell import Shell

_ID = "0199b1c2-9a00-7c1d-8f2e-5b7a6c3d20"
_NAMES = ("ingest-orders", "nightly-invoices", "train-the-forecast-of-all-that-is-to-be-sold")


def flow_row(now: datetime, index: int = 0, **changes: Any) -> FlowRow:
    mark = RunMark(
        css="failed", word="Failed", top=6.0, height=18.0, title="Failed: amber-falcon, 2m"
    )
    given: dict[str, Any] = {
        "id": f"{_ID}{index:02d}",
        "name": _NAMES[index % 3],
        "tags": ("finance", "eu-west") if index else (),
        "deployments": 100 if index == 1 else index,
        "deployments_capped": index == 1,
        "last_run": now - timedelta(minutes=7) if index else None,
        "next_run": now + timedelta(hours=3) if index == 1 else None,
        "created": now - timedelta(days=70),
        "marks": (mark,) if index else (),
    }
    return FlowRow(**(given | changes))


def flow_page(now: datetime, **changes: Any) -> FlowPage:
    given: dict[str, Any] = {
        "rows": tuple(flow_row(now, index) for index in range(3)),
        "live_path": "/ui/fragments/flows?name=i",
        "twins": TwinPaths(json_path="/flows.json", csv_path="/flows.csv"),
        "name": "i",
        "chips": (FilterChip(text="Name has i", remove_path="/flows"),),
        "next_path": "/flows?name=i&after=train",
    }
    return FlowPage(**(given | changes))


def flow_detail(now: datetime, runs: tuple[RunRow, ...], **changes: Any) -> FlowDetail:
    deployments = tuple(
        FlowDeployment(
            id=f"{_ID}{index + 20:02d}",
            name=name,
            paused=index == 1,
            next_run=None if index else now + timedelta(hours=1),
        )
        for index, name in enumerate(("hourly", "monthly"))
    )
    given: dict[str, Any] = {
        "flow": flow_row(now, 1),
        "deployments": deployments,
        "runs": runs,
        "live_path": f"/ui/fragments/flows/flow/{_ID}01",
        "more_deployments": True,
    }
    return FlowDetail(**(given | changes))


def pages(shell: Shell, now: datetime, runs: tuple[RunRow, ...]) -> dict[str, dict[str, Any]]:
    """Every page and fragment about flows with the context it expects."""
    flows = {"page": flow_page(now), "now": now}
    flow = {"detail": flow_detail(now, runs), "now": now}
    return {
        "ui/flows.html": {"shell": shell} | flows,
        "ui/_flows.html": flows,
        "ui/flow.html": {"shell": shell} | flow,
        "ui/_flow.html": flow,
    }
