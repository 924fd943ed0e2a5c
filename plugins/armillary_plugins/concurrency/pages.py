"""The list of limits, the page of one with who holds its slots, and its form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from armillary.api import Call
from armillary.concurrency.slots import Limit
from armillary.db.unit import Unit
from armillary.errors import Conflict, Invalid
from armillary.forms import Form
from armillary_plugins.concurrency import repository
from armillary_plugins.concurrency.page_schemas import (
    KINDS,
    HolderRow,
    LimitDetail,
    LimitPage,
    LimitRow,
    LimitTab,
    LimitTexts,
)
from armillary_plugins.concurrency.repository import Kind, Named
from armillary_plugins.concurrency.schemas import CreateLimit, UpdateLimit, checked_name
from armillary_web.named_list import NamedList
from armillary_web.named_query import NamedQuery, holds
from armillary_web.pages import (
    Action,
    Listed,
    ListPage,
    Page,
    Pages,
    Question,
    Sent,
    Twin,
    twin_paths,
)
from armillary_web.shell import NavItem

_LIST, _NEW = "/concurrency-limits", "/concurrency-limits/new"
_ONE = "/concurrency-limits/concurrency-limit"
_SEE, _MANAGE = "see_concurrency_limits", "manage_concurrency_limits"
_FRAGMENTS = "/ui/fragments"
_HOLDERS = 100
_MOST = 2**31 - 1


async def _list(call: Call, query: NamedQuery, count: int) -> list[Named]:
    return await repository.list_named(
        call.read(),
        _kind(query),
        holds(query.name),
        limit=count,
        after=query.after,
        before=query.before,
    )


async def _more(_: Call, query: NamedQuery) -> Mapping[str, Any]:
    return {
        "tabs": _tabs(query),
        "live_path": query.path(_FRAGMENTS),
        "back": query.path(),
        "kind": query.type,
    }


_LIMITS = NamedList(
    base=_LIST,
    find=_list,
    shape=lambda call, named: LimitRow.of(named, call.received),
    page=LimitPage,
    twin=LimitRow,
    more=_more,
)


async def _read_one(call: Call) -> Listed:
    named = await repository.read_named(call.read(), call.path["id"])
    row = LimitRow.of(named, call.received)
    here = f"{_ONE}/{row.id}"
    found = await repository.list_holders(call.read(), row.id, limit=_HOLDERS + 1)
    detail = LimitDetail(
        row=row,
        holders=tuple(HolderRow.of(each) for each in found[:_HOLDERS]),
        twins=twin_paths(f"{here}/holders"),
        live_path=_FRAGMENTS + here,
        back=here,
        more=len(found) > _HOLDERS,
    )
    return Listed(detail, here)


async def _read_holders(call: Call, limit: int) -> Twin:
    row = LimitRow.of(await repository.read_named(call.read(), call.path["id"]), call.received)
    after = _place(call.query.get("after", ""))
    found = await repository.list_holders(call.read(), row.id, limit=limit + 1, after=after)
    path = None
    if len(found) > limit:
        last = found[limit - 1]
        path = f"{_ONE}/{row.id}/holders?after={last[1]}.{last[0]}"
    rows = [HolderRow.of(each) for each in found[:limit]]
    return Twin(kind=HolderRow, rows=rows, next_path=path)


async def _read_new(call: Call) -> Mapping[str, Any]:
    kind = "tag" if call.query.get("type") == "tag" else "global"
    return _context(LimitTexts(kind=kind))


async def _submit_new(call: Call, form: Form) -> Sent:
    texts = LimitTexts(
        kind="tag" if form.get("kind") == "tag" else "global",
        name=form.get("name").strip(),
        limit=form.get("limit").strip(),
        decay=form.get("decay").strip(),
    )
    changes, problems = _checked(texts)
    try:
        checked_name(texts.name)
    except Invalid as error:
        problems["name"] = str(error)
    if not problems:
        try:
            made = await call.write(partial(_create, call, texts, changes))
        except Conflict as error:
            problems["name"] = str(error)
        else:
            return Sent(location=f"{_ONE}/{made.id}")
    return Sent(context=_context(texts, problems), wrong=True)


async def _create(call: Call, texts: LimitTexts, given: UpdateLimit, unit: Unit) -> Limit:
    slots = given.limit or 0
    if texts.kind == "tag":
        limit, new = await repository.set_tag(unit, call.core.ids, texts.name, slots)
        if not new:
            raise Conflict(f"There is a limit on the tag {texts.name} already.")
        return limit
    decay = given.slot_decay_per_second or 0.0
    body = CreateLimit(name=texts.name, limit=slots, slot_decay_per_second=decay)
    return await repository.create(unit, call.core.ids, body)


async def _read_change(call: Call) -> Mapping[str, Any]:
    row = await _row(call)
    return _context(LimitTexts(limit=str(row.limit), decay=f"{row.decay:g}"), row=row)


async def _submit_change(call: Call, form: Form) -> Sent:
    row = await _row(call)
    texts = LimitTexts(limit=form.get("limit").strip(), decay=form.get("decay").strip())
    changes, problems = _checked(texts)
    if problems:
        return Sent(context=_context(texts, problems, row=row), wrong=True)
    await _update(call, changes)
    return Sent(location=f"{_ONE}/{row.id}")


async def _switch(call: Call, _: Form, *, on: bool) -> str:
    await _update(call, UpdateLimit(active=on))
    return f"{_ONE}/{call.path['id']}"


async def _reset(call: Call, _: Form) -> str:
    named = await repository.read_named(call.read(), call.path["id"])
    await call.write(lambda unit: repository.reset_tag(unit, call.core.ids, named.limit, ()))
    return f"{_ONE}/{named.limit.id}"


async def _ask_reset(call: Call) -> Question:
    return _question(
        await _row(call),
        "Reset",
        "All slots are given back. Whoever holds one goes on, but counts no longer: until it "
        "ends, more may run than the limit says.",
    )


async def _delete(call: Call, _: Form) -> str:
    named = await repository.read_named(call.read(), call.path["id"])
    await call.write(lambda unit: repository.delete(unit, call.core.ids, named.limit))
    return _LIST


async def _ask_delete(call: Call) -> Question:
    return _question(
        await _row(call), "Delete", "What it limited then runs as often as it likes at once."
    )


async def _row(call: Call) -> LimitRow:
    named = await repository.read_named(call.read(), call.path["id"])
    return LimitRow.of(named, call.received)


async def _update(call: Call, changes: UpdateLimit) -> None:
    limit_id, ids = call.path["id"], call.core.ids
    await call.write(lambda unit: repository.update(unit, ids, limit_id, changes))


def _question(row: LimitRow, word: str, consequence: str) -> Question:
    here = f"{_ONE}/{row.id}"
    return Question(
        title=f"{word} {row.shown}?",
        consequence=consequence,
        word=word,
        action_path=f"{here}/{word.lower()}",
        back_path=here,
    )


def _checked(texts: LimitTexts) -> tuple[UpdateLimit, dict[str, str]]:
    """Read the numbers of a form, and say by field what is wrong with them."""
    problems: dict[str, str] = {}
    limit, decay = 0, 0.0
    text = texts.limit
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _MOST:
        limit = int(text)
    else:
        problems["limit"] = f"The limit has to be a whole number from 0 to {_MOST}."
    try:
        decay = float(texts.decay or "0")
    except ValueError:
        decay = math.nan
    if not 0 <= decay < math.inf:
        problems["decay"] = "The slots that free themselves have to be a number from 0, as 0.5."
    return UpdateLimit(limit=limit, slot_decay_per_second=decay), problems


def _context(
    texts: LimitTexts, problems: Mapping[str, str] | None = None, *, row: LimitRow | None = None
) -> dict[str, Any]:
    return {
        "texts": texts,
        "problems": problems or {},
        "row": row,
        "here": _NEW if row is None else f"{_ONE}/{row.id}/change",
        "back": _LIST if row is None else f"{_ONE}/{row.id}",
    }


def _kind(query: NamedQuery) -> Kind:
    return next((kind for kind in KINDS if kind == query.type), "all")


def _tabs(query: NamedQuery) -> tuple[LimitTab, ...]:
    chosen = _kind(query)
    return tuple(
        LimitTab(
            path=query.path(type="" if kind == "all" else kind), text=text, current=kind == chosen
        )
        for kind, text in KINDS.items()
    )


def _place(text: str) -> tuple[int, str]:
    created, _, lease_id = text.partition(".")
    whole = created.isascii() and created.isdigit() and len(created) < 18
    return (int(created), lease_id.replace("\0", "")) if whole else (0, "")


_PLACE = f"{_ONE}/{{id:uuid}}"
PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    nav=(NavItem(path=_LIST, text="Limits", icon="hourglass", aside=True, hotkey="g l"),),
    lists=(
        ListPage(
            path=_LIST,
            scope=_SEE,
            template="concurrency/limits",
            read=_LIMITS.read,
            twin=_LIMITS.read_twin,
        ),
        ListPage(
            path=_PLACE,
            scope=_SEE,
            template="concurrency/limit",
            read=_read_one,
            twin=_read_holders,
            twin_path=f"{_PLACE}/holders",
            section=_LIST,
        ),
    ),
    pages=(
        Page(
            path=_NEW,
            scope=_MANAGE,
            template="concurrency/limit_form.html",
            read=_read_new,
            submit=_submit_new,
            section=_LIST,
        ),
        Page(
            path=f"{_PLACE}/change",
            scope=_MANAGE,
            template="concurrency/limit_form.html",
            read=_read_change,
            submit=_submit_change,
            section=_LIST,
        ),
    ),
    actions=(
        Action(path=f"{_PLACE}/on", scope=_MANAGE, act=partial(_switch, on=True)),
        Action(path=f"{_PLACE}/off", scope=_MANAGE, act=partial(_switch, on=False)),
        Action(path=f"{_PLACE}/reset", scope=_MANAGE, act=_reset, ask=_ask_reset, section=_LIST),
        Action(path=f"{_PLACE}/delete", scope=_MANAGE, act=_delete, ask=_ask_delete, section=_LIST),
    ),
)
