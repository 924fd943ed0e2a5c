"""What the pages of deployments and schedules show: the context of their templates.

Times are aware UTC but for those of :class:`Fire`, which are in the zone of their schedule.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary_plugins.ui.forms.fields import Field
from armillary_plugins.ui.schemas import Choice, FilterChip, RunRow
from armillary_web.pages import TwinPaths


class RunMark(msgspec.Struct, frozen=True, kw_only=True):
    """A bar that stands for a run: as high as it took long."""

    css: str
    word: str
    """Its state, as class and as word."""
    top: float
    height: float
    """Of 24."""
    title: str


class Fire(msgspec.Struct, frozen=True, kw_only=True):
    """A time at which a schedule fires, in its zone."""

    moment: datetime
    shifted: bool = False
    """The zone's clocks were put forward or back since the time before."""


class ScheduleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule with what comes of it."""

    id: str
    deployment_id: str
    words: str
    """Such as `cron 0 3 * * *`."""
    timezone: str | None
    active: bool
    slug: str | None = None
    fires: tuple[Fire, ...] = ()
    problem: str | None = None
    """Why no times can be computed."""
    deployment_name: str = ""
    flow_name: str = ""
    paused: bool = False
    """The whole deployment is paused."""
    next_run: datetime | None = None
    """The next run that is scheduled already."""


class SchedulePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of schedules, the next to fire first."""

    rows: tuple[ScheduleRow, ...]
    live_path: str
    twins: TwinPaths
    back: str
    """The page's own address, to come back to."""
    previous_path: str | None = None
    next_path: str | None = None


class ScheduleTwin(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as programs read it."""

    id: str
    deployment_id: str
    deployment: str
    schedule: str
    timezone: str | None
    active: bool
    paused: bool
    next_run: datetime | None


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What every view of a deployment shows."""

    id: str
    name: str
    flow_id: str
    flow_name: str
    paused: bool
    status: str
    pool: str | None = None
    queue: str | None = None
    tags: tuple[str, ...] = ()
    next_run: datetime | None = None


class DeploymentTwin(Deployment, frozen=True, kw_only=True):
    """A deployment as programs read it."""

    schedules: tuple[str, ...] = ()


class DeploymentRow(DeploymentTwin, frozen=True, kw_only=True):
    """A deployment in a list."""

    marks: tuple[RunMark, ...] = ()
    """Its last runs, oldest first."""


class DeploymentFilterForm(msgspec.Struct, frozen=True, kw_only=True):
    """The filter form as it was sent."""

    name: str = ""
    tags: str = ""
    paused: str = ""
    pool: str = ""
    choices: tuple[Choice, ...] = ()
    chips: tuple[FilterChip, ...] = ()


class DeploymentPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deployments by name, cut by keyset."""

    rows: tuple[DeploymentRow, ...]
    live_path: str
    twins: TwinPaths
    back: str
    filter: DeploymentFilterForm = DeploymentFilterForm()
    any_deployments: bool = True
    previous_path: str | None = None
    next_path: str | None = None
    new_path: str | None = None
    new_text: str = ""


class ParameterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter a run of a deployment starts with."""

    name: str
    kind: str
    value: str
    """JSON; empty where a run has to bring one."""
    origin: str
    description: str = ""


class DeploymentDetail(Deployment, frozen=True, kw_only=True):
    """A deployment on its own page."""

    live_path: str
    description: str | None = None
    entrypoint: str | None = None
    command: str | None = None
    """What a run of a plain command is."""
    path: str | None = None
    version: str | None = None
    concurrency_limit: int | None = None
    slots_taken: int = 0
    last_polled: datetime | None = None
    created: datetime | None = None
    updated: datetime | None = None
    enforces: bool = True
    """Whether runs are held against the parameters' schema."""
    schedules: tuple[ScheduleRow, ...] = ()
    parameters: tuple[ParameterRow, ...] = ()
    job_variables: str = "{}"
    marks: tuple[RunMark, ...] = ()
    runs: tuple[RunRow, ...] = ()
    edit_path: str | None = None


class RunFormPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form that runs a deployment."""

    deployment_id: str
    name: str
    flow_name: str
    fields: tuple[Field, ...] = ()
    problem: str | None = None
    """What is wrong with all of it."""
    wrong: int = 0
    """Fields with something wrong."""
    run_name: str = ""
    tags: str = ""
    start: str = ""
    start_problem: str | None = None
    enforces: bool = True
