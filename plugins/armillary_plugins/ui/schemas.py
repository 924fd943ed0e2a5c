"""What the pages show: the exact context of each template, in plain values.

Times are aware UTC. Every `…_path` is a path on this site without the base path, which the
templates put in front of it.
"""

from datetime import datetime

import msgspec

from armillary_web.pages import TwinPaths
from armillary_web.timeline import Segment


class StateCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs are in a state, and where they are listed."""

    state_type: str
    count: int
    path: str
    capped: bool = False
    """There are more than `count`; they were not counted."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow run in a list."""

    id: str
    name: str
    state_type: str | None
    state_name: str | None
    flow_id: str
    flow_name: str
    deployment_id: str | None = None
    deployment_name: str | None = None
    expected_start_time: datetime | None = None
    start_time: datetime | None = None
    running_since: datetime | None = None
    """When the present stretch of running began, less what ran before; it ticks from there."""
    duration: float | None = None
    """Seconds; None before the start."""
    tags: tuple[str, ...] = ()
    state_message: str | None = None


class FilterChip(msgspec.Struct, frozen=True, kw_only=True):
    """A filter in force, and where the list is without it."""

    text: str
    remove_path: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a pick list."""

    value: str
    text: str


class RunFilterForm(msgspec.Struct, frozen=True, kw_only=True):
    """The filter form as it was sent; names of the query are those people have bookmarked.

    `flow-run-search` is part of the run's name, `state` a state's name, `flow` part of the flow's
    name, `tags` a comma list of which all must be there, `range` a period; `flows` and
    `deployments`, comma lists of ids, have no field.
    """

    name: str = ""
    state: str = ""
    flow: str = ""
    tags: str = ""
    range: str = ""
    states: tuple[Choice, ...] = ()
    ranges: tuple[Choice, ...] = ()
    hidden: tuple[Choice, ...] = ()
    """Filters without a field of their own: name and value."""
    chips: tuple[FilterChip, ...] = ()


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of flow runs, cut by keyset."""

    rows: tuple[RunRow, ...]
    live_path: str
    """The fragment's own address, filter and position included."""
    twins: TwinPaths
    filter: RunFilterForm = RunFilterForm()
    counts: tuple[StateCount, ...] = ()
    any_runs: bool = True
    """False when there is no run at all: another empty state."""
    previous_path: str | None = None
    next_path: str | None = None
    total: int | None = None
    total_capped: bool = False
    """There are more than `total`; they were not counted."""


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """The first page: what runs, what went wrong, what is late, what comes next."""

    period: str
    """What the counts are of, for example `Past 24 hours`."""
    counts: tuple[StateCount, ...]
    running: tuple[RunRow, ...]
    failures: tuple[RunRow, ...]
    late: tuple[RunRow, ...]
    upcoming: tuple[RunRow, ...]
    """The next to come first."""
    recent: tuple[RunRow, ...]
    late_count: int
    failed_count: int
    capped: int
    """A count of more than this is not exact."""
    late_path: str
    failed_path: str
    any_runs: bool
    api_url: str
    """What a client is told to use, for the command of the empty state."""
    server_words: str
    """What has to be said to commands for them to find this server, with a space before it."""


class StateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A state a run has been in, oldest first in a history."""

    state_type: str | None
    state_name: str | None
    timestamp: datetime
    message: str | None = None
    duration: float | None = None
    """Seconds until the next state; None for the present one."""


class StateHistory(msgspec.Struct, frozen=True, kw_only=True):
    """All states of a run, as rows and as bars."""

    rows: tuple[StateRow, ...]
    segments: tuple[Segment, ...]
    live_path: str | None
    """None when nothing will change any more."""


class RunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A flow run on its own page."""

    id: str
    name: str
    state_type: str | None
    state_name: str | None
    flow_id: str
    flow_name: str
    live_path: str | None
    """Address of the header; None when the run is final."""
    state_timestamp: datetime | None = None
    state_message: str | None = None
    deployment_id: str | None = None
    deployment_name: str | None = None
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    parent_run_id: str | None = None
    parent_run_name: str | None = None
    expected_start_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    running_since: datetime | None = None
    duration: float | None = None
    lateness: float | None = None
    """Seconds past the expected start."""
    run_count: int = 0
    task_run_count: int = 0
    tags: tuple[str, ...] = ()
    created: datetime | None = None
    updated: datetime | None = None
    created_by: str | None = None
    flow_version: str | None = None
    infrastructure_pid: str | None = None
    idempotency_key: str | None = None
    parameters: str = "{}"
    """JSON text."""
    job_variables: str = "{}"
    """JSON text."""
    can_retry: bool = False
    can_cancel: bool = False
    again_path: str | None = None
    """The form that runs its deployment, filled in as it was."""


class RunError(msgspec.Struct, frozen=True, kw_only=True):
    """The first error a run logged, or what it said last, among the lines around it."""

    title: str
    lines: tuple["LogLine", ...]
    error_id: str | None
    """The line that is the error; None where there is none."""
    log_path: str
    live_path: str | None


class TaskRunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A task run in a flow run's list."""

    id: str
    name: str
    state_type: str | None
    state_name: str | None
    start_time: datetime | None = None
    running_since: datetime | None = None
    duration: float | None = None
    run_count: int = 0
    child_run_id: str | None = None
    """The subflow's run, when the task run stands for one."""
    bar: Segment | None = None
    """Where it lies within the flow run's time."""


class TaskRunPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a flow run's task runs."""

    rows: tuple[TaskRunRow, ...]
    live_path: str | None
    counts: tuple[StateCount, ...] = ()
    previous_path: str | None = None
    next_path: str | None = None
    total: int | None = None
    total_capped: bool = False
    twins: TwinPaths | None = None


class TaskRunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A task run on its own page."""

    id: str
    name: str
    task_key: str
    state_type: str | None
    state_name: str | None
    live_path: str | None
    state_timestamp: datetime | None = None
    state_message: str | None = None
    flow_run_id: str | None = None
    flow_run_name: str | None = None
    child_run_id: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    running_since: datetime | None = None
    duration: float | None = None
    run_count: int = 0
    retries: int = 0
    retry_delay: float | None = None
    dynamic_key: str | None = None
    cache_key: str | None = None
    task_version: str | None = None
    tags: tuple[str, ...] = ()
    created: datetime | None = None
    task_inputs: str = "{}"
    """JSON text."""


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a log."""

    id: str
    timestamp: datetime
    level: int
    level_name: str
    logger: str
    message: str
    task_run_id: str | None = None
    task_run_name: str | None = None


class LogLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A choice of the level filter."""

    text: str
    path: str
    current: bool


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a log, oldest first.

    `cursor` is what the tail asks with: `lines_path` with `after=<cursor>` gives the lines that
    came later.
    """

    lines: tuple[LogLine, ...]
    cursor: str
    lines_path: str
    """Address of further lines, level included, without the cursor."""
    live: bool
    more: bool = False
    """There are further lines right now."""
    levels: tuple[LogLevel, ...] = ()
    earlier_path: str | None = None
    later_path: str | None = None
    """The page with later lines, for browsers without JavaScript."""
    download_path: str | None = None
    waiting: bool = False
    """The run has not started, so there is nothing to be seen yet."""
    filtered: bool = False
    """A level is chosen: an empty page may only mean that nothing matches."""
