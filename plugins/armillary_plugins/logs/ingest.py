"""A batch of log lines as sent, checked and shaped into rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.api import uuid_text
from armillary.clock import to_micros
from armillary.errors import Invalid, NotFound
from armillary.orchestration.wire import in_utc
from armillary_plugins.logs.schemas import CreateLog

Row = tuple[int, int, int, int, str, str, str | None, str | None]
"""Workspace, created, timestamp, level, name, message, flow run, task run."""


class Batch(msgspec.Struct, frozen=True):
    """The rows of one request."""

    rows: Sequence[Row]


def batch_of(lines: Sequence[CreateLog], *, workspace: int, created: int) -> Batch:
    """Shape lines into rows; Invalid names the line whose run id is none.

    NUL characters are taken out: no database of ours keeps them.
    """
    known: dict[str | None, str | None] = {None: None}
    rows: list[Row] = []
    for place, line in enumerate(lines):
        flow_run, task_run = line.flow_run_id, line.task_run_id
        if flow_run not in known:
            known[flow_run] = _id(flow_run, place, "flow_run_id")
        if task_run not in known:
            known[task_run] = _id(task_run, place, "task_run_id")
        rows.append(
            (
                workspace,
                created,
                to_micros(in_utc(line.timestamp)),
                line.level,
                _without_nul(line.name),
                _without_nul(line.message),
                known[flow_run],
                known[task_run],
            )
        )
    return Batch(rows)


def _without_nul(text: str) -> str:
    return text.replace("\0", "") if "\0" in text else text


def _id(text: str | None, place: int, member: str) -> str:
    try:
        return uuid_text(text or "")
    except NotFound as error:
        message = f"Line {place} has a {member} that is no UUID: {text!r}."
        raise Invalid(message, loc=("body", place, member), kind="uuid_parsing") from error
