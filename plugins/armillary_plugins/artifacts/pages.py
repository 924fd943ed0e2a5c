"""The list of keys, the history of one, the page of an artifact, and those of a run on its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from armillary.api import Call
from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary.errors import NotFound
from armillary.forms import Form
from armillary_plugins.artifacts.page_schemas import (
    ArtifactDetail,
    ArtifactRow,
    HistoryPage,
    KeyPage,
)
from armillary_plugins.artifacts.repository import showing, writing
from armillary_plugins.artifacts.repository.reading import page_artifacts
from armillary_plugins.artifacts.shaping import Prose, Shown, shown
from armillary_web.named_list import NamedList
from armillary_web.named_query import NamedQuery, holds
from armillary_web.pages import (
    Action,
    Listed,
    ListPage,
    Page,
    Pages,
    Question,
    RunCard,
    Twin,
    twin_paths,
)
from armillary_web.shell import NavItem

_LIST, _KEY, _ONE = "/artifacts", "/artifacts/key", "/artifacts/artifact"
_SEE = "see_artifacts"
_PAGE = 50
_NEWEST = str(UUID(int=2**128 - 1))
_SHOWN = 20
_LONGEST = 50_000
"""Characters of data that are shown."""


async def _read_card(call: Call, run_id: str) -> Mapping[str, Any] | None:
    rows = await page_artifacts(call.read(), run_id, limit=_SHOWN + 1, longest=_LONGEST)
    if not rows:
        return None
    prose = Prose()
    return {
        "artifacts": [shown(row, prose) for row in rows[:_SHOWN]],
        "more": len(rows) > _SHOWN,
        "now": from_micros(call.received),
    }


async def _list(call: Call, query: NamedQuery, count: int) -> Sequence[Row]:
    return await showing.list_keys(
        call.read(),
        holds(query.name),
        query.type,
        limit=count,
        after=query.after,
        before=query.before,
    )


async def _type(_: Call, query: NamedQuery) -> Mapping[str, Any]:
    return {"type": query.type}


_KEYS = NamedList(
    base=_LIST,
    find=_list,
    shape=lambda _, row: ArtifactRow.of(row),
    page=KeyPage,
    twin=ArtifactRow,
    place=lambda row: str(row.key),
    more=_type,
)


async def _history(call: Call, limit: int) -> tuple[list[ArtifactRow], str | None]:
    """Read a part of a key's history, and from where it goes on."""
    before = call.query.get("before", "").replace("\0", "")
    found = await showing.list_history(
        call.read(), call.path["key"], limit=limit + 1, before=before or _NEWEST
    )
    rows = [ArtifactRow.of(row) for row in found[:limit]]
    return rows, rows[-1].id if len(found) > limit else None


async def _read_key(call: Call) -> Listed:
    key = call.path["key"]
    rows, last = await _history(call, _PAGE)
    here = f"{_KEY}/{key}"
    cut = "before" in call.query
    if not rows and not cut:
        raise NotFound(f"There is no artifact with the key {key}: the last one was deleted.")
    page = HistoryPage(
        key=key,
        rows=tuple(rows),
        latest=None if cut else _shown(await _read(call, rows[0].id)),
        twins=twin_paths(f"{here}/history"),
        previous_path=here if cut else None,
        next_path=None if last is None else f"{here}?before={last}",
    )
    return Listed(page, here)


async def _read_history(call: Call, limit: int) -> Twin:
    rows, last = await _history(call, limit)
    path = None if last is None else f"{_KEY}/{call.path['key']}/history?before={last}"
    return Twin(kind=ArtifactRow, rows=rows, next_path=path)


async def _read(call: Call, artifact_id: str) -> Row:
    row = await showing.read_shown(call.read(), artifact_id, longest=_LONGEST)
    if row is None:
        raise NotFound(
            f"There is no artifact {artifact_id}: it was deleted, or belongs to another server."
        )
    return row


def _shown(row: Row) -> Shown:
    return shown(row, Prose())


async def _read_one(call: Call) -> Mapping[str, Any]:
    row = await _read(call, call.path["id"])
    detail = ArtifactDetail(
        shown=_shown(row),
        row=ArtifactRow.of((row[2], row[0], row[1], row[3], None, row[8], row[9], row[6], row[7])),
        key=row[2],
        updated=from_micros(row[10]),
    )
    return {"detail": detail, "now": from_micros(call.received)}


async def _delete(call: Call, _: Form) -> str:
    row, ids = await _read(call, call.path["id"]), call.core.ids
    await call.write(lambda unit: writing.delete_artifact(unit, ids, row[0]))
    return _LIST


async def _ask(call: Call) -> Question:
    row = await _read(call, call.path["id"])
    here = f"{_ONE}/{row[0]}"
    return Question(
        title=f"Delete {row[2] or 'this artifact'}?",
        consequence="It is gone for good; the one before it becomes the latest of its key.",
        word="Delete",
        action_path=f"{here}/delete",
        back_path=here,
    )


PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    nav=(
        NavItem(path=_LIST, text="Artifacts", icon="file-chart-column", aside=True, hotkey="g a"),
    ),
    lists=(
        ListPage(
            path=_LIST,
            scope=_SEE,
            template="artifacts/artifacts",
            read=_KEYS.read,
            twin=_KEYS.read_twin,
        ),
        ListPage(
            path=f"{_KEY}/{{key}}",
            scope=_SEE,
            template="artifacts/history",
            read=_read_key,
            twin=_read_history,
            twin_path=f"{_KEY}/{{key}}/history",
            section=_LIST,
        ),
    ),
    pages=(
        Page(
            path=f"{_ONE}/{{id:uuid}}",
            scope=_SEE,
            template="artifacts/artifact.html",
            read=_read_one,
            section=_LIST,
        ),
    ),
    actions=(
        Action(
            path=f"{_ONE}/{{id:uuid}}/delete",
            scope="manage_artifacts",
            act=_delete,
            ask=_ask,
            section=_LIST,
        ),
    ),
    run_cards=(
        RunCard(
            title="Artifacts",
            id="artifacts",
            scope=_SEE,
            template="artifacts/_of_run.html",
            read=_read_card,
        ),
    ),
)
