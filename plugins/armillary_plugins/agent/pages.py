"""The form that makes and changes plain commands in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from armillary.clock import from_micros
from armillary.errors import NotFound
from armillary.exact_json import read_any
from armillary_plugins.agent.command_form import (
    CommandTexts,
    keep_resting,
    spec_of,
    texts_of,
    texts_of_form,
)
from armillary_plugins.agent.jobs_file import Spec, deployment_of, differences
from armillary_plugins.agent.pool import LOCAL
from armillary_plugins.agent.services import deploying
from armillary_plugins.agent.services.inside import InsideLink
from armillary_plugins.agent.services.link import Turned
from armillary_web.pages import Page, Pages, Sent

if TYPE_CHECKING:
    from armillary.api import Call
    from armillary.forms import Form

Json = Any
_NEW = "/commands/new"
_EDIT = "/commands/command"
_SCOPE = "write_deployments"


def _link(call: Call) -> InsideLink:
    return InsideLink(call.core)


async def _read_new(call: Call) -> Mapping[str, Any]:
    del call
    return _context(CommandTexts(), {}, None)


async def _submit_new(call: Call, form: Form) -> Sent:
    texts = texts_of_form(form)
    name = quote(texts.name, safe="")
    there = await _asked(call, f"/deployments/name/{name}/{name}") if texts.name else None
    if there is not None:
        taken = f"There is a command called {texts.name} already: edit that, or take another name."
        return Sent(context=_context(texts, {"name": taken}, None), wrong=True)
    return await _submit(call, form, texts, None)


async def _read_edited(call: Call) -> Mapping[str, Any]:
    there = await _deployment(call)
    return _context(texts_of(there), {}, there)


async def _submit_edited(call: Call, form: Form) -> Sent:
    there = await _deployment(call)
    return await _submit(call, form, texts_of_form(form, name=str(there["name"])), there)


async def _submit(call: Call, form: Form, texts: CommandTexts, there: Json) -> Sent:
    """Say what would change, or change it; show the form again where it does not do."""
    spec, problems = spec_of(texts, now=from_micros(call.received))
    if spec is None:
        return Sent(context=_context(texts, problems, there), wrong=True)
    lines = differences(deployment_of(texts.name, spec), there)
    if form.get("do") != "save":
        return Sent(context=_context(texts, {}, there, lines=lines))
    try:
        made = await _save(call, texts.name, spec, there)
    except Turned as error:
        field = "pool" if "ool" in str(error) else "command"
        return Sent(context=_context(texts, {field: str(error)}, there, lines=lines), wrong=True)
    return Sent(location=f"/deployments/deployment/{made}")


async def _save(call: Call, name: str, spec: Spec, there: Json) -> str:
    link = _link(call)
    if there is None:
        return await deploying.deploy(link, name, spec)
    if spec.pool == LOCAL:
        await deploying.ensure_local_pool(link)
    body = {**deployment_of(name, spec), "flow_id": there["flow_id"]}
    keep_resting(body, there)
    return str((await link.ask("POST", "/deployments/", body))["id"])


async def _asked(call: Call, path: str) -> Json:
    """Ask for something that may not be there."""
    try:
        return await _link(call).ask("GET", path)
    except Turned as error:
        if error.status != 404:
            raise
        return None


async def _deployment(call: Call) -> Json:
    there = await _asked(call, f"/deployments/{call.path['id']}")
    if there is None or not _is_command("", there["entrypoint"], there["job_variables"]):
        raise NotFound(f"There is no plain command {call.path['id']}: it was deleted, or is none.")
    return there


def _is_command(_: str, entrypoint: str | None, job_variables: str | Mapping[str, Json]) -> bool:
    given = job_variables
    variables = read_any(given) if isinstance(given, str) else given
    return entrypoint is None and bool(isinstance(variables, dict) and variables.get("command"))


def _context(
    texts: CommandTexts,
    problems: Mapping[str, str],
    there: Json,
    *,
    lines: list[str] | None = None,
) -> dict[str, Any]:
    editing = there["id"] if there else None
    return {
        "texts": texts,
        "problems": problems,
        "lines": lines,
        "editing": editing,
        "here": f"{_EDIT}/{editing}" if editing else _NEW,
        "back": f"/deployments/deployment/{editing}" if editing else "/deployments",
    }


PAGES = Pages(
    templates=Path(__file__).parent / "templates",
    pages=(
        Page(
            path=_NEW,
            scope=_SCOPE,
            template="agent/command.html",
            read=_read_new,
            submit=_submit_new,
            section="/deployments",
        ),
        Page(
            path=f"{_EDIT}/{{id:uuid}}",
            scope=_SCOPE,
            template="agent/command.html",
            read=_read_edited,
            submit=_submit_edited,
            section="/deployments",
        ),
    ),
    edits_deployment=_is_command,
    edit_path=_EDIT,
    new_path=_NEW,
    new_text="New command",
)
