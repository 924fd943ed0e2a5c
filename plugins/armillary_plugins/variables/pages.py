"""The list of variables, and the form of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from armillary.api import Call
from armillary.clock import from_micros
from armillary.criteria import AllTags, Names
from armillary.db.filters import Condition, every
from armillary.db.listing import Span
from armillary.db.unit import Unit
from armillary.errors import Conflict, Invalid
from armillary.forms import Form
from armillary_plugins.variables import repository
from armillary_plugins.variables.page_schemas import (
    VariablePage,
    VariableRow,
    VariableTexts,
    VariableTwin,
)
from armillary_plugins.variables.schemas import (
    CreateVariable,
    UpdateVariable,
    Variable,
    VariableFilter,
    VariableSort,
    checked_name,
    checked_value,
)
from armillary_web.named_list import NamedList
from armillary_web.named_query import NamedQuery
from armillary_web.pages import (
    Action,
    ListPage,
    Page,
    Pages,
    Question,
    Sent,
)
from armillary_web.shell import NavItem

_LIST, _NEW, _ONE = "/variables", "/variables/new", "/variables/variable"


async def _list(call: Call, query: NamedQuery, count: int) -> Sequence[Variable]:
    tags = query.all_tags
    wanted = VariableFilter(
        name=Names(like_=query.name) if query.name else None,
        tags=AllTags(all_=tags) if tags else None,
    )
    parts = [wanted.on()]
    if query.before:
        parts.append(Condition("v.name < ?", (query.before,)))
    elif query.after:
        parts.append(Condition("v.name > ?", (query.after,)))
    sort: VariableSort = "NAME_DESC" if query.backwards else "NAME_ASC"
    return await repository.list_variables(call.read(), every(parts), sort, Span(count))


async def _tags(_: Call, query: NamedQuery) -> Mapping[str, Any]:
    return {"tags": query.tags}


_VARIABLES = NamedList(
    base=_LIST,
    find=_list,
    shape=lambda _, variable: VariableRow.of(variable),
    page=VariablePage,
    twin=VariableTwin,
    twin_shape=lambda _, variable: VariableTwin.of(variable),
    more=_tags,
)


async def _read_new(call: Call) -> Mapping[str, Any]:
    return _context(call, VariableTexts())


async def _submit_new(call: Call, form: Form) -> Sent:
    texts = _texts(form)
    new, problems = _checked(texts)
    if not problems:
        try:
            await call.write(lambda unit: repository.create(unit, call.core.ids, new))
        except Conflict as error:
            problems["name"] = str(error)
        else:
            return Sent(location=_LIST)
    return Sent(context=_context(call, texts, problems), wrong=True)


async def _read_one(call: Call) -> Mapping[str, Any]:
    variable = await repository.read(call.read(), variable_id=call.path["id"])
    return _context(call, VariableTexts.of(variable), variable=variable)


async def _submit_one(call: Call, form: Form) -> Sent:
    variable = await repository.read(call.read(), variable_id=call.path["id"])
    texts = _texts(form)
    given, problems = _checked(texts)
    if not problems:

        async def work(unit: Unit) -> None:
            before = await repository.read(unit, variable_id=variable.id, lock=True)
            changes = UpdateVariable(name=given.name, value=given.value, tags=given.tags)
            await repository.update(unit, call.core.ids, before, changes)

        try:
            await call.write(work)
        except Conflict as error:
            problems["name"] = str(error)
        else:
            return Sent(location=_LIST)
    return Sent(context=_context(call, texts, problems, variable=variable), wrong=True)


async def _delete(call: Call, _: Form) -> str:
    async def work(unit: Unit) -> None:
        variable = await repository.read(unit, variable_id=call.path["id"], lock=True)
        await repository.delete(unit, call.core.ids, variable)

    await call.write(work)
    return _LIST


async def _ask(call: Call) -> Question:
    variable = await repository.read(call.read(), variable_id=call.path["id"])
    here = f"{_ONE}/{variable.id}"
    return Question(
        title=f"Delete {variable.name}?",
        consequence="Flows that read it, and parameters that name it, find nothing then.",
        word="Delete",
        action_path=f"{here}/delete",
        back_path=here,
    )


def _texts(form: Form) -> VariableTexts:
    return VariableTexts(
        name=form.get("name").strip(), value=form.get("value"), tags=form.get("tags")
    )


def _checked(texts: VariableTexts) -> tuple[CreateVariable, dict[str, str]]:
    """Read what a form was filled in with, and say by field what is wrong with it."""
    problems: dict[str, str] = {}
    raw = msgspec.Raw(texts.value.strip().encode())
    try:
        checked_name(texts.name)
    except Invalid as error:
        problems["name"] = str(error)
    if not texts.name:
        problems["name"] = "A variable needs a name."
    try:
        raw = checked_value(raw)
    except Invalid as error:
        problems["value"] = f"{error} It has to be JSON: text stands in double quotes."
    return CreateVariable(name=texts.name, value=raw, tags=texts.all_tags), problems


def _context(
    call: Call,
    texts: VariableTexts,
    problems: Mapping[str, str] | None = None,
    *,
    variable: Variable | None = None,
) -> dict[str, Any]:
    return {
        "texts": texts,
        "problems": problems or {},
        "variable": variable,
        "here": _NEW if variable is None else f"{_ONE}/{variable.id}",
        "now": from_micros(call.received),
    }


PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    nav=(NavItem(path=_LIST, text="Variables", icon="variable", aside=True, hotkey="g v"),),
    lists=(
        ListPage(
            path=_LIST,
            scope="see_variables",
            template="variables/variables",
            read=_VARIABLES.read,
            twin=_VARIABLES.read_twin,
        ),
    ),
    pages=(
        Page(
            path=_NEW,
            scope="write_variables",
            template="variables/variable.html",
            read=_read_new,
            submit=_submit_new,
            section=_LIST,
        ),
        Page(
            path=f"{_ONE}/{{id:uuid}}",
            scope="see_variables",
            template="variables/variable.html",
            read=_read_one,
            submit=_submit_one,
            submit_scope="write_variables",
            section=_LIST,
        ),
    ),
    actions=(
        Action(
            path=f"{_ONE}/{{id:uuid}}/delete",
            scope="manage_variables",
            act=_delete,
            ask=_ask,
            section=_LIST,
        ),
    ),
)
