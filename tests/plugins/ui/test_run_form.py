"""The form that runs a deployment: every kind of parameter, and errors beside their fields."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from armillary.forms import Form
from armillary_plugins.ui.forms.checks import schema_problems
from armillary_plugins.ui.forms.fields import fields_of, placed
from armillary_plugins.ui.forms.filled import (
    OMITTED,
    changed,
    from_form,
    from_value,
    name_of,
    to_value,
)
from armillary_plugins.ui.forms.nodes import node_of
from tests.api import Api
from tests.plugins.ui.pages import Pages
from tests.web.documents import Document

ADDRESS = {
    "type": "object",
    "required": ["street"],
    "properties": {"street": {"type": "string"}, "city": {"type": "string", "default": "Wien"}},
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["customer", "count"],
    "properties": {
        "customer": {"type": "string", "title": "Customer", "description": "Whose."},
        "count": {"type": "integer", "minimum": 1},
        "rate": {"type": "number", "default": 0.5},
        "dry": {"type": "boolean", "default": True},
        "sure": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "mode": {"enum": ["fast", "slow", 3], "default": "fast"},
        "day": {"type": "string", "format": "date"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "address": {"$ref": "#/definitions/Address"},
        "home": {"allOf": [{"$ref": "#/definitions/Address"}], "default": {"street": "A 1"}},
        "lines": {"type": "array", "items": {"$ref": "#/definitions/Address"}},
        "numbers": {"type": "array", "items": {"type": "integer"}, "default": [1, 2]},
        "colours": {
            "type": "array", "uniqueItems": True, "items": {"enum": ["red", "blue"]},
            "default": ["red"],
        },
        "free": {"type": "object", "default": {}},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
        "tree": {"$ref": "#/definitions/Tree"},
    },
    "definitions": {
        "Address": ADDRESS,
        "Tree": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "below": {"$ref": "#/definitions/Tree"}},
        },
    },
}  # fmt: skip
KINDS = {
    "customer": "text", "count": "integer", "rate": "number", "dry": "boolean", "sure": "boolean",
    "mode": "choice", "day": "text", "note": "text", "address": "object", "home": "object",
    "lines": "array", "numbers": "array", "colours": "choices", "free": "json", "either": "json",
    "pair": "json", "tree": "object",
}  # fmt: skip


@pytest.fixture
def database_url(copied_sqlite: str) -> str:
    """One database is enough: forms ask it what the pages of deployments ask."""
    return copied_sqlite


def sent(**fields: str) -> Form:
    """A form with parameters by name; a name's ``__`` parts it."""
    return Form([(name_of(tuple(name.split("__"))), value) for name, value in fields.items()])


def read(form: Form, schema: dict[str, Any] = SCHEMA) -> tuple[Any, dict[Any, str]]:
    problems: dict[Any, str] = {}
    node = node_of(schema)
    return to_value(node, from_form(node, form), problems), problems


def test_every_kind_of_schema_has_its_field() -> None:
    members = {member.name: member.node.kind for member in node_of(SCHEMA).members}
    assert members == KINDS
    tree = next(member.node for member in node_of(SCHEMA).members if member.name == "tree")
    assert [member.node.kind for member in tree.members] == ["text", "json"], "no circle"


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (True, "json"), ({}, "json"), ({"$ref": "#/nowhere"}, "json"), ({"$ref": "x.json"}, "json"),
        ({"type": ["string", "null"]}, "text"), ({"type": ["string", "integer"]}, "json"),
        ({"const": 4}, "choice"), ({"enum": []}, "json"), ({"type": "array"}, "json"),
        ({"type": "string", "maxLength": 5000}, "long"), ({"type": "null"}, "json"),
        ({"type": "object", "properties": {"a": {}}, "block_type_slug": "s3"}, "json"),
    ],
)  # fmt: skip
def test_what_has_no_natural_field_is_asked_for_as_json(schema: Any, kind: str) -> None:
    found = node_of({"type": "object", "properties": {"x": schema}})
    assert found.members[0].node.kind == kind


def test_defaults_come_back_as_they_were() -> None:
    node = node_of(SCHEMA)
    problems: dict[Any, str] = {}
    given = {"customer": "ACME", "count": 10**30, "lines": [{"street": "B 2", "city": "Graz"}]}
    values = to_value(node, from_value(node, given), problems)
    assert problems == {}
    assert values == {
        **given, "rate": 0.5, "dry": True, "mode": "fast", "sure": None, "note": None,
        "home": {"street": "A 1", "city": "Wien"}, "numbers": [1, 2], "colours": ["red"],
        "free": {},
    }  # fmt: skip


def test_what_was_typed_is_read_by_kind() -> None:
    form = sent(
        customer="a\nb", count="7", rate="1e-3", dry="false", sure="true", mode="3",
        day="2026-11-20", note="", address="yes", address__street="C 3", address__city="",
        lines="2", lines__0__street="x", lines__1__street="y", numbers="0", free='{"a": [1]}',
        either='"text"', pair='[1, "a"]',
    )  # fmt: skip
    values, problems = read(Form([*form.fields, *sent(colours='"blue"').fields]))
    assert problems == {}
    assert values == {
        "customer": "a\nb", "count": 7, "rate": 0.001, "dry": False, "sure": True, "mode": 3,
        "day": "2026-11-20", "note": None, "address": {"street": "C 3", "city": ""},
        "lines": [{"street": "x", "city": ""}, {"street": "y", "city": ""}], "numbers": [],
        "colours": ["blue"], "free": {"a": [1]}, "either": "text", "pair": [1, "a"],
    }  # fmt: skip


def test_what_cannot_be_read_says_so_at_its_field() -> None:
    _, problems = read(sent(count="1.5", rate="nan", free="{", numbers="1", numbers__0="x"))
    assert set(problems) == {("count",), ("rate",), ("free",), ("numbers", 0)}
    assert "'1.5' is no whole number" in problems["count",]


def test_a_schemas_errors_are_told_at_the_nearest_field() -> None:
    values = {
        "count": 0, "mode": "other", "address": {"city": 5}, "lines": [{"street": 1}],
        "either": [], "note": 4,
    }  # fmt: skip
    problems = schema_problems(values, json.dumps(SCHEMA).encode())
    node = node_of(SCHEMA)
    found = placed(problems, node, from_value(node, values))
    assert set(found) == {
        ("customer",), ("count",), ("mode",), ("address", "city"), ("address", "street"),
        ("lines", 0, "street"), ("either",), ("note",),
    }  # fmt: skip
    assert found["customer",] == "This has to be given."
    fields = {field.label: field for field in fields_of(node, from_value(node, values), found)}
    assert fields["Customer"].error == "This has to be given."


def test_entries_of_lists_are_added_and_taken_out() -> None:
    node = node_of(SCHEMA)
    filled = from_value(node, {"lines": [{"street": "a"}, {"street": "b"}]})
    more = changed(node, filled, f"add:{name_of(('lines',))}")
    assert [entry.members["street"] for entry in more.members["lines"]] == ["a", "b", ""]
    less = changed(node, more, f"remove:{name_of(('lines', 0))}")
    assert [entry.members["street"] for entry in less.members["lines"]] == ["b", ""]


def test_names_of_parameters_may_hold_anything() -> None:
    schema = {"type": "object", "properties": {"a/b~c": {"type": "string"}}}
    values, _ = read(Form([("p/a~1b~0c", "x")]), schema)
    assert values == {"a/b~c": "x"}
    assert to_value(node_of({"type": "string"}), "", {}) is OMITTED


async def send(pages: Pages, path: str, fields: dict[str, Any], *, status: int) -> httpx.Response:
    answer = await pages.client.post(path, data=fields, follow_redirects=False)
    assert answer.status_code == status, answer.text[:800]
    return answer


async def test_a_deployment_is_run_with_what_was_filled_in(api: Api, pages: Pages) -> None:
    deployment = await api.deployment(
        None, "nightly", parameters={"customer": "ACME"}, parameter_openapi_schema=SCHEMA,
        enforce_parameter_schema=True, tags=["t"],
    )  # fmt: skip
    path = f"/deployments/deployment/{deployment['id']}/run"
    page = await pages.open(f'{path}?parameters={{"count":4}}')
    values = {one.attributes.get("name"): one.attributes.get("value") for one in page.all("input")}
    assert (values["p/customer"], values["p/count"]) == ("ACME", "4")
    wrong = {"p/customer": "", "p/count": "0", "name": "falcon", "tags": "x, y"}
    answer = await send(pages, path, wrong, status=422)
    page = Document(answer.text)
    invalid = [one.attributes["name"] for one in page.elements if "aria-invalid" in one.attributes]
    assert invalid == ["p/count"], "an empty customer is the deployment's"
    assert "0 is less than the minimum of 1" in answer.text
    assert 'value="falcon"' in answer.text
    assert await api.runs() == []
    more = await send(pages, path, {**wrong, "do": "add:p/numbers"}, status=200)
    assert 'name="p/numbers/0"' in more.text
    right = {**wrong, "p/count": "2", "p/dry": ["false", "true"], "start": "2027-01-01T03:00"}
    answer = await send(pages, path, right, status=303)
    [run] = await api.runs()
    assert answer.headers["location"] == f"/runs/flow-run/{run['id']}"
    assert run["name"] == "falcon"
    assert run["tags"] == ["t", "x", "y"]
    assert run["parameters"] == {
        "customer": "ACME", "count": 2, "dry": True, "sure": None, "note": None, "numbers": [],
        "colours": [],
    }  # fmt: skip
    assert run["state"]["state_details"]["scheduled_time"].startswith("2027-01-01T03:00:00")


async def test_what_stands_for_a_variable_is_filled_in_with_its_value(
    api: Api, pages: Pages
) -> None:
    count = {"__prefect_kind": "workspace_variable", "variable_name": "count"}
    deployment = await api.deployment(
        None, "nightly", parameters={"customer": "ACME", "count": count},
        parameter_openapi_schema=SCHEMA,
    )  # fmt: skip
    path = f"/deployments/deployment/{deployment['id']}/run"
    missing = await send(pages, path, {"p/count": ""}, status=422)
    assert "Variable &#39;count&#39; not found in workspace." in missing.text
    await api.post("/variables/", {"name": "count", "value": 7}, status=201)
    page = await pages.open(path)
    values = {one.attributes.get("name"): one.attributes.get("value") for one in page.all("input")}
    assert values["p/count"] == "7"
    await send(pages, path, {"p/count": ""}, status=303)
    [run] = await api.runs()
    assert run["parameters"]["count"] == 7


async def test_a_deployment_without_a_schema_takes_json(api: Api, pages: Pages) -> None:
    deployment = await api.deployment(None, "free", parameters={"a": 1})
    path = f"/deployments/deployment/{deployment['id']}/run"
    assert "&#34;a&#34;: 1" in (await pages.ask(path)).text
    for text, said in (("[1]", "write an object"), ("{", "This is no JSON")):
        assert said in (await send(pages, path, {"p": text}, status=422)).text
    await send(pages, path, {"p": '{"b": 2}'}, status=303)
    assert (await api.runs())[0]["parameters"] == {"a": 1, "b": 2}


async def test_a_schema_that_is_none_is_told_and_nothing_is_run(api: Api, pages: Pages) -> None:
    deployment = await api.deployment(None, "odd", enforce_parameter_schema=False)
    schema = {"properties": {"a": {"type": "nonsense"}}, "type": "object"}
    await api.patch(f"/deployments/{deployment['id']}", {"parameter_openapi_schema": schema})
    await api.patch(f"/deployments/{deployment['id']}", {"enforce_parameter_schema": True})
    path = f"/deployments/deployment/{deployment['id']}/run"
    answer = await send(pages, path, {"p/a": "1"}, status=422)
    assert "Invalid schema" in answer.text
