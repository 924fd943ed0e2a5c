"""The list of automations with its switches, and the page of one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from armillary.api import Call
from armillary.clock import from_micros
from armillary.criteria import AnyTags, Names
from armillary.db.filters import Condition, every
from armillary.db.listing import Span
from armillary.forms import Form
from armillary_plugins.automations import repository
from armillary_plugins.automations.page_schemas import (
    AutomationDetail,
    AutomationPage,
    AutomationRow,
)
from armillary_plugins.automations.schemas import AutomationFilter, AutomationSort, Written
from armillary_web.named_list import NamedList, id_and_name_of
from armillary_web.named_query import NamedQuery
from armillary_web.pages import (
    Action,
    ListPage,
    Page,
    Pages,
    Question,
)
from armillary_web.shell import NavItem

_LIST, _ONE = "/automations", "/automations/automation"
_SEE, _MANAGE = "see_automations", "manage_automations"
_BEHIND = "(a.name > ? or (a.name = ? and a.id > ?))"
_AHEAD = "(a.name < ? or (a.name = ? and a.id < ?))"


async def _list(call: Call, query: NamedQuery, count: int) -> list[Written]:
    tags = query.all_tags
    wanted = AutomationFilter(
        name=Names(like_=query.name) if query.name else None,
        tags=AnyTags(all_=tags) if tags else None,
    )
    parts = [wanted.on()]
    if query.after or query.before:
        name, automation_id = query.place
        sql = _AHEAD if query.backwards else _BEHIND
        parts.append(Condition(sql, (name, name, automation_id)))
    sort: AutomationSort = "NAME_DESC" if query.backwards else "NAME_ASC"
    return await repository.list_automations(call.read(), every(parts), sort, Span(count))


async def _more(_: Call, query: NamedQuery) -> Mapping[str, Any]:
    return {"tags": query.tags, "back": query.path()}


_AUTOMATIONS = NamedList(
    base=_LIST,
    find=_list,
    shape=lambda _, written: AutomationRow.of(written),
    page=AutomationPage,
    twin=AutomationRow,
    place=id_and_name_of,
    more=_more,
)


async def _read_one(call: Call) -> Mapping[str, Any]:
    found = await repository.read_automation(call.read(), call.path["id"])
    return {"detail": AutomationDetail.of(found), "now": from_micros(call.received)}


async def _switch(call: Call, _: Form, *, on: bool) -> str:
    key, ids = call.path["id"], call.core.ids
    await call.write(lambda unit: repository.set_enabled(unit, ids, key, on))
    return f"{_ONE}/{key}"


async def _delete(call: Call, _: Form) -> str:
    key, core = call.path["id"], call.core
    await call.write(lambda unit: repository.delete(unit, core.ids, key, core.deletions))
    return _LIST


async def _ask(call: Call) -> Question:
    found = await repository.read_automation(call.read(), call.path["id"])
    here = f"{_ONE}/{found.id}"
    return Question(
        title=f"Delete {found.name}?",
        consequence="What it waits for and what it does is gone for good.",
        word="Delete",
        action_path=f"{here}/delete",
        back_path=here,
    )


_PLACE = f"{_ONE}/{{id:uuid}}"
PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    nav=(NavItem(path=_LIST, text="Automations", icon="bot", aside=True, hotkey="g o"),),
    lists=(
        ListPage(
            path=_LIST,
            scope=_SEE,
            template="automations/automations",
            read=_AUTOMATIONS.read,
            twin=_AUTOMATIONS.read_twin,
        ),
    ),
    pages=(
        Page(
            path=_PLACE,
            scope=_SEE,
            template="automations/automation.html",
            read=_read_one,
            section=_LIST,
        ),
    ),
    actions=(
        Action(path=f"{_PLACE}/on", scope=_MANAGE, act=partial(_switch, on=True)),
        Action(path=f"{_PLACE}/off", scope=_MANAGE, act=partial(_switch, on=False)),
        Action(path=f"{_PLACE}/delete", scope=_MANAGE, act=_delete, ask=_ask, section=_LIST),
    ),
)
