"""Whether values that somebody fills in would do: held against a schema, without a run."""

from typing import Any

import pytest

from tests.api import Api

SCHEMA = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"}, "rows": {"type": "array", "items": {"type": "string"}},
        "inner": {"type": "object", "properties": {"t": {"type": "string"}}, "required": ["t"]},
        "when": {"type": "string", "format": "date"},
    },
    "required": ["n"],
}  # fmt: skip


def kind(name: str, **members: object) -> dict[str, object]:
    return {"__prefect_kind": name, **members}


async def check(api: Api, values: dict[str, Any], schema: Any = SCHEMA) -> Any:
    return await api.post("/ui/schemas/validate", {"schema": schema, "values": values})


async def test_values_that_fit_are_valid(api: Api) -> None:
    fits = {"n": 1, "rows": ["a"], "inner": {"t": "x"}, "when": "2026-01-01"}
    assert await check(api, fits) == {"errors": [], "valid": True}
    assert await check(api, {}, {}) == {"errors": [], "valid": True}


async def test_errors_are_told_by_property_and_index(api: Api) -> None:
    found = await check(api, {"rows": ["a", 2], "inner": {}, "when": "soon"})
    assert found["valid"] is False
    told = {each["property"]: each["errors"] for each in found["errors"]}
    assert told == {
        "n": ["'n' is a required property"],
        "rows": [{"index": 1, "errors": ["2 is not of type 'string'"]}],
        "inner": [{"property": "t", "errors": ["'t' is a required property"]}],
        "when": ["'soon' is not a 'date'"],
    }
    closed = {"type": "object", "additionalProperties": False}
    (text,) = (await check(api, {"more": 1}, closed))["errors"]
    assert "Additional properties" in text


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        (kind("json", value="7"), []),
        (kind("json", value='"7"'), ["'7' is not of type 'integer'"]),
        (kind("jinja", template="{{ anything }}"), []),
        (kind("jinja", template="{{"), ["Invalid jinja: unexpected 'end of template'"]),
        (kind("workspace_variable", variable_name="seven"), []),
        (kind("workspace_variable", variable_name="text"), ["'x' is not of type 'integer'"]),
        (
            kind("workspace_variable", variable_name="gone"),
            ["Variable 'gone' not found in workspace."],
        ),
        (kind("none"), ["Missing 'value' key in __prefect object"]),
        (kind("none", value=kind("json", value="1")), []),
    ],
)
async def test_values_that_stand_for_others_are_checked_as_those(
    api: Api, value: object, errors: list[str]
) -> None:
    for name, kept in (("seven", 7), ("text", "x")):
        await api.post("/variables/", {"name": name, "value": kept}, status=201)
    told = [{"property": "n", "errors": errors}] if errors else []
    assert await check(api, {"n": value}) == {"errors": told, "valid": not errors}


async def test_a_value_that_goes_is_missed_where_it_is_required(api: Api) -> None:
    found = await check(api, {"n": kind("json")})
    assert found["errors"] == [{"property": "n", "errors": ["'n' is a required property"]}]
    assert (await check(api, kind("json")))["errors"] == found["errors"]


async def test_half_a_character_is_shown_as_an_escape(api: Api) -> None:
    schema = {"additionalProperties": {"additionalProperties": {"type": "string"}}}
    found = await check(api, {"a": kind("json", value='{"\\ud800": 1}')}, schema)
    (told,) = found["errors"]
    assert told["errors"] == [{"property": "\\ud800", "errors": ["1 is not of type 'string'"]}]


@pytest.mark.parametrize(
    "schema", [{"type": "texts"}, {"properties": []}, {"$ref": "#/nowhere"}, {"$ref": "http://a/b"}]
)
async def test_a_schema_that_is_none_is_refused(api: Api, schema: Any) -> None:
    body = {"schema": schema, "values": {"a": 1}}
    refused = await api.post("/ui/schemas/validate", body, status=422)
    assert isinstance(refused["detail"], str)


async def test_a_schema_without_end_is_refused(api: Api) -> None:
    body = {"schema": {"$ref": "#"}, "values": {"a": 1}}
    refused = await api.post("/ui/schemas/validate", body, status=422)
    assert "circle" in refused["detail"]


@pytest.mark.parametrize("body", [{}, {"schema": {}}, {"values": {}}, {"schema": [], "values": 1}])
async def test_a_check_needs_a_schema_and_values(api: Api, body: Any) -> None:
    await api.post("/ui/schemas/validate", body, status=422)
