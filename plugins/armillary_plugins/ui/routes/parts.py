"""The parts that pages of flow runs and of task runs have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from armillary.api import Call
from armillary.clock import from_micros
from armillary_plugins.logs.repository import Tail, tail
from armillary_plugins.ui.log_pages import LogQuery, log_page
from armillary_plugins.ui.repository import run as repository
from armillary_plugins.ui.repository.runs import names_of
from armillary_plugins.ui.schemas import LogPage, StateHistory
from armillary_plugins.ui.shaping import FINAL, state_bars, state_rows

LINES = 500
_SETTLING = 60_000_000
"""Microseconds after the end in which last lines and states of tasks still come in."""


def is_final(state_type: str | None) -> bool:
    """Whether a run in this state is over."""
    return state_type in FINAL


def is_settled(call: Call, state_type: str | None, entered: int | None) -> bool:
    """Whether a run is over for so long that nothing comes in late any more."""
    return is_final(state_type) and call.received - (entered or 0) > _SETTLING


async def read_states(
    call: Call, run_id: str, *, live_path: str | None, of_task_run: bool = False
) -> StateHistory:
    """Read the history of a run."""
    found = await repository.list_states(call.read(), run_id, of_task_run=of_task_run)
    rows = state_rows(found)
    return StateHistory(
        rows=rows, segments=state_bars(rows, now=from_micros(call.received)), live_path=live_path
    )


class LoggedRun:
    """What of a run its log depends on."""

    def __init__(self, call: Call, row: Sequence[Any], *, state_at: int, start_at: int) -> None:
        state_type, entered = row[state_at], row[state_at + 2]
        self.id: str = row[0]
        self.live = not is_settled(call, state_type, entered)
        self.started = row[start_at] is not None or is_final(state_type)


async def read_log(
    call: Call, run: LoggedRun, query: LogQuery, *, of_task_run: bool = False
) -> LogPage:
    """Read lines of a log."""
    found: Tail = await tail(
        call.read(),
        run.id,
        after=query.cursor,
        level=query.level or None,
        limit=LINES,
        of_task_run=of_task_run,
    )
    names: dict[str, str] | None = None
    if not of_task_run:
        tasks = list(dict.fromkeys(line.task_run_id for line in found.lines if line.task_run_id))
        names = await names_of(call.read(), "task_run", tasks) if tasks else {}
    download = None if of_task_run else f"/api/flow_runs/{run.id}/logs/download"
    return log_page(
        query,
        found,
        names,
        live=run.live,
        waiting=not run.started,
        download_path=download,
    )
