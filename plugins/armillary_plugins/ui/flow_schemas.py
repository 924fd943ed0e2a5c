"""What the pages of flows show."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary_plugins.ui.deployment_schemas import RunMark
from armillary_plugins.ui.schemas import FilterChip, RunRow
from armillary_web.pages import TwinPaths


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow in a list."""

    id: str
    name: str
    tags: tuple[str, ...]
    deployments: int
    deployments_capped: bool
    """There are more than so many."""
    last_run: datetime | None
    next_run: datetime | None
    created: datetime
    marks: tuple[RunMark, ...] = ()


class FlowTwin(msgspec.Struct, frozen=True, kw_only=True):
    """A flow in a list for programs."""

    id: str
    name: str
    tags: tuple[str, ...]
    deployments: int
    last_run: datetime | None
    next_run: datetime | None
    created: datetime


class FlowPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list of flows."""

    rows: tuple[FlowRow, ...]
    live_path: str
    twins: TwinPaths
    name: str = ""
    """Part of the name that is searched for."""
    tags: str = ""
    """Tags of which all must be there, with commas."""
    chips: tuple[FilterChip, ...] = ()
    any_flows: bool = True
    previous_path: str | None = None
    next_path: str | None = None


class FlowDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment of a flow."""

    id: str
    name: str
    paused: bool
    next_run: datetime | None


class FlowDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A flow on its own page."""

    flow: FlowRow
    deployments: tuple[FlowDeployment, ...]
    runs: tuple[RunRow, ...]
    live_path: str
    more_deployments: bool = False
