"""Artifacts as the page of a run shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import msgspec
from markupsafe import Markup, escape

from armillary.clock import from_micros
from armillary_plugins.artifacts.prose import link, markdown

_ROWS = 50
_COLUMNS = 20
_CELL = 200
_RENDERED = 20_000
"""Characters of Markdown that are rendered for one page: it takes its time."""
_BRACKETS = 500
"""Opening brackets in one text: the time that many take grows with their square."""


class Grid(msgspec.Struct, frozen=True):
    """The beginning of a table."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int
    """Rows that are not shown."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact; of what it holds, one of the last four is there, or none where it is long."""

    id: str
    created: datetime
    title: str
    type: str
    description: Markup | None
    task_run_id: str | None
    task_run_name: str | None
    text: Markup | None = None
    progress: float | None = None
    grid: Grid | None = None
    code: str | None = None


class Prose:
    """Renders Markdown as long as there is not too much of it, and gives it as it is after."""

    def __init__(self) -> None:
        self._left = _RENDERED

    def render(self, text: str) -> Markup | None:
        """Render a text; None where it is to be shown as it is."""
        if len(text) > self._left or text.count("[") > _BRACKETS:
            return None
        self._left -= len(text)
        return markdown(text)


def shown(row: Sequence[Any], prose: Prose) -> Shown:
    """Shape what was read of an artifact."""
    kind, description = row[3], row[4]
    return Shown(
        id=row[0],
        created=from_micros(row[1]),
        title=row[2] or kind,
        type=kind,
        description=(prose.render(description) or escape(description)) if description else None,
        task_run_id=row[6] if row[7] is not None else None,
        task_run_name=row[7],
        **({} if row[5] is None else _content(kind, row[5], prose)),
    )


def _content(kind: str, text: str, prose: Prose) -> dict[str, Any]:
    """Say how data is shown: as what it is meant to be, if it is that, else as it is."""
    data = _decoded(text)
    if kind == "markdown" and isinstance(data, str):
        rendered = prose.render(data)
        return {"code": data} if rendered is None else {"text": rendered}
    if kind == "image" and isinstance(data, str):
        return {"text": link(data, data)}
    if kind == "progress" and isinstance(data, int | float):
        return {"progress": float(max(0, min(100, data)))}
    if kind == "table":
        grid = _grid(_inner(data))
        if grid is not None:
            return {"grid": grid}
    return {"code": data if isinstance(data, str) else text}


def _inner(data: object) -> object:
    """Clients send tables as text that is JSON."""
    return _decoded(data) if isinstance(data, str) else data


def _decoded(text: str) -> Any:
    """Read JSON; None where it is none, or deeper or with larger numbers than can be read."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _grid(data: object) -> Grid | None:
    """Lay out columns by name, rows by name, or rows; None for anything else."""
    if isinstance(data, Mapping) and all(isinstance(each, list) for each in data.values()):
        return _cut(list(data), list(zip_longest(*data.values())))
    if not isinstance(data, list) or not data:
        return None
    if all(isinstance(row, Mapping) for row in data):
        head = list(dict.fromkeys(name for row in data for name in row))
        return _cut(head, [[row.get(name) for name in head] for row in data[:_ROWS]], len(data))
    if all(isinstance(row, list) for row in data):
        return _cut([], data)
    return None


def _cut(head: Sequence[str], rows: Sequence[Sequence[Any]], count: int | None = None) -> Grid:
    some = [[_cell(value) for value in row[:_COLUMNS]] for row in rows[:_ROWS]]
    left_out = (len(rows) if count is None else count) - len(some)
    return Grid([_cell(name) for name in head[:_COLUMNS]], some, left_out)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"
