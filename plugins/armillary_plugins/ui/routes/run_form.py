"""The form that runs a deployment: its parameters, as their schema describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.db.unit import Row
from armillary.deployments import running
from armillary.deployments.hydration import HydrationError
from armillary.deployments.schemas import CreateRun
from armillary.errors import Conflict, Invalid, Refused
from armillary.forms import Form
from armillary.orchestration.states import StateDetails, StateType
from armillary.orchestration.wire import CreateState
from armillary_plugins.ui.actions import see_other
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.deployment_schemas import RunFormPage
from armillary_plugins.ui.deployment_shaping import json_object
from armillary_plugins.ui.forms.fields import fields_of, placed
from armillary_plugins.ui.forms.filled import (
    OMITTED,
    Filled,
    Problems,
    changed,
    from_form,
    from_value,
    to_value,
)
from armillary_plugins.ui.forms.nodes import Node, node_of
from armillary_plugins.ui.routes.deployment import read
from armillary_plugins.ui.site import site_of

routes = Routes(tag="Pages", mount="")
_RUN = "/deployments/deployment/{id:uuid}/run"
_ID, _NAME, _FLOW, _PARAMETERS, _SCHEMA, _ENFORCES = 0, 1, 3, 15, 16, 17
_START = "start"


@routes.get(_RUN, scope="run_deployments")
async def show_run_form(call: Call) -> Answer:
    """Show the form, filled in with what the deployment gives and the address says."""
    row = await read(call)
    node = _node(row)
    stored = await _stored(call, row)
    if stored is None:
        stored = json_object(row[_PARAMETERS])
    given = {**stored, **_prefilled(call.query.get("parameters", ""))}
    return _page(call, row, node, from_value(node, given), Form(), {})


@routes.post(_RUN, scope="run_deployments")
async def run(call: Call, body: Form) -> Answer:
    """Run the deployment with what was filled in; show the form again where that does not do."""
    row = await read(call)
    node = _node(row)
    filled = from_form(node, body)
    action = body.get("do")
    if action.startswith(("add:", "remove:")):
        return _page(call, row, node, changed(node, filled, action), body, {}, status=200)
    problems: Problems = {}
    given = to_value(node, filled, problems)
    values: Mapping[str, Any] = given if isinstance(given, dict) else {}
    if given is not OMITTED and not isinstance(given, dict):
        problems[()] = "Parameters have names: write an object, such as {}."
    problems = {**_mismatches(row, await _stored(call, row), values), **problems}
    start, start_problem = _start(body.get(_START))
    if problems or start_problem:
        return _page(call, row, node, filled, body, problems, start_problem=start_problem)
    try:
        made = await running.create(call, row[_ID], _request(values, body, start))
    except (Conflict, Invalid, Refused) as error:
        return _page(call, row, node, filled, body, {(): str(error)})
    return see_other(call, f"/runs/flow-run/{made.run_id}")


def _node(row: Row) -> Node:
    """What is asked for; without a schema anything may be given, as JSON."""
    schema = json_object(row[_SCHEMA])
    if not isinstance(schema.get("properties"), dict):
        return Node(kind="json", title="Parameters", description="An object, name by name.")
    return node_of({"type": "object", **schema})


def _prefilled(text: str) -> dict[str, Any]:
    """What the address asks to fill in, as links of other pages do; nonsense is left out."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def _stored(call: Call, row: Row) -> dict[str, Any] | None:
    """What the deployment gives a run made now; None where something in it cannot be had."""
    written = msgspec.json.decode(row[_PARAMETERS], type=dict[str, msgspec.Raw])
    try:
        hydrated = await call.core.variables.hydrate(call.read(), written)
    except HydrationError:
        return None
    return json_object(msgspec.json.encode(hydrated).decode())


def _mismatches(row: Row, stored: Mapping[str, Any] | None, values: Mapping[str, Any]) -> Problems:
    """What the schema says, as it will when the run is made; what is missing is said then."""
    schema = json_object(row[_SCHEMA])
    if not row[_ENFORCES] or not schema or stored is None:
        return {}
    from armillary_plugins.ui.forms.checks import schema_problems  # noqa: PLC0415 - jsonschema

    return schema_problems({**stored, **values}, row[_SCHEMA].encode())


def _start(text: str) -> tuple[datetime | None, str | None]:
    if not text:
        return None, None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC), None
    except ValueError:
        return None, f"{text!r} is no time; write it like 2026-11-20T03:00."


def _request(values: Mapping[str, Any], form: Form, start: datetime | None) -> CreateRun:
    state = None
    if start is not None:
        details = StateDetails(scheduled_time=start)
        state = CreateState(type=StateType.SCHEDULED, state_details=details)
    return CreateRun(
        state=state,
        name=form.get("name").strip() or None,
        parameters={name: msgspec.Raw(json.dumps(each).encode()) for name, each in values.items()},
        tags=[each.strip() for each in form.get("tags").split(",") if each.strip()],
    )


def _page(  # noqa: PLR0913, PLR0917 - what is shown, and what of it is wrong
    call: Call,
    row: Row,
    node: Node,
    filled: Filled,
    form: Form,
    problems: Problems,
    *,
    start_problem: str | None = None,
    status: int | None = None,
) -> Answer:
    site = site_of(call.core)
    shell = site.shell(call, "/deployments", live=False)
    found = placed(problems, node, filled)
    of_all = found.pop((), None) if node.kind == "object" else None
    wrong = len(found) + bool(start_problem)
    page = RunFormPage(
        deployment_id=row[_ID],
        name=row[_NAME],
        flow_name=row[_FLOW],
        fields=fields_of(node, filled, found),
        problem=of_all,
        wrong=wrong,
        run_name=form.get("name"),
        tags=form.get("tags"),
        start=form.get(_START),
        start_problem=start_problem,
        enforces=bool(row[_ENFORCES]),
    )
    said = 422 if wrong or of_all else 200
    return html_answer(call, site.render("run_form", shell=shell, page=page), status or said)
