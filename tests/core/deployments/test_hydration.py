"""What values that stand for others are replaced by, and what cannot be had."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.deployments.hydration import (
    HydrationError,
    Pending,
    Problem,
    Sources,
    hydrate,
    hydrate_value,
)

VARIABLES = {
    "region": msgspec.Raw(b'"eu"'),
    "limits": msgspec.Raw(b'{"cpu": 123456789012345678901234567890}'),
    "nothing": msgspec.Raw(b"null"),
}


def kind(name: str, **members: object) -> dict[str, object]:
    return {"__prefect_kind": name, **members}


def raws(values: dict[str, Any]) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}


def hydrated(values: dict[str, Any]) -> dict[str, Any]:
    found = hydrate(raws(values), variables=VARIABLES)
    return {name: json.loads(bytes(raw)) for name, raw in found.items()}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ({"a": kind("none", value=[1])}, {"a": [1]}),
        ({"a": kind("none", value=kind("json", value="2"))}, {"a": 2}),
        ({"a": kind("json", value='{"b": [1, null]}')}, {"a": {"b": [1, None]}}),
        ({"a": kind("json", value=7)}, {"a": 7}),
        ({"a": kind("json", value=kind("jinja", template="{{ 1 + 2 }}"))}, {"a": 3}),
        ({"a": kind("json"), "b": 1}, {"b": 1}),
        ({"a": [1, kind("json"), kind("workspace_variable")]}, {"a": [1]}),
        ({"a": {"b": {"c": kind("json")}}}, {"a": {"b": {}}}),
        ({"a": kind("jinja", template="{{ 1 + 2 }}")}, {"a": "3"}),
        ({"a": kind("jinja", template="plain")}, {"a": "plain"}),
        ({"a": kind("jinja", template="{{ unknown }}!")}, {"a": "!"}),
        ({"a": kind("jinja", template=kind("none", value="{{ 'x' }}"))}, {"a": "x"}),
        ({"a": kind("workspace_variable", variable_name="region")}, {"a": "eu"}),
        ({"a": kind("workspace_variable", variable_name="nothing")}, {"a": None}),
        (
            {"a": kind("workspace_variable", variable_name=kind("json", value='"region"'))},
            {"a": "eu"},
        ),
        (
            {"a": [kind("workspace_variable", variable_name="limits")]},
            {"a": [{"cpu": 123456789012345678901234567890}]},
        ),
        ({"a": kind("unheard of", value=5)}, {"a": 5}),
        ({"a": kind("unheard of")}, {"a": None}),
        ({"a": {"__prefect_kind": None, "value": 5}}, {"a": 5}),
        ({"a": {"__prefect_kind": [1], "value": 5}}, {"a": 5}),
        (kind("json", value='{"a": 1}'), {"a": 1}),
        (kind("json"), {}),
        (kind("workspace_variable"), {}),
    ],
)
def test_a_value_becomes_what_it_stands_for(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert hydrated(given) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (kind("none"), "Missing 'value' key in __prefect object"),
        (kind("jinja"), "Missing 'template' key in __prefect object"),
        (kind("json", value="{"), "Invalid JSON: Expecting property name"),
        (kind("json", value="NaN"), "Invalid JSON: NaN is not a JSON value"),
        (kind("json", value="[1e999]"), "Invalid JSON: 1e999 is larger"),
        (kind("json", value=kind("none")), "Missing 'value' key"),
        (kind("jinja", template="{{ 1"), "Invalid jinja: unexpected end of template"),
        (kind("jinja", template=3), "Invalid jinja: the template is not a text"),
        (kind("jinja", template="{{ 1 / 0 }}"), "Invalid jinja: Failed to render .*division"),
        (
            kind("workspace_variable", variable_name="gone"),
            "Variable 'gone' not found in workspace.",
        ),
        (kind("workspace_variable", variable_name=[1]), r"Variable '\[1\]' not found"),
    ],
)
def test_a_value_that_cannot_be_had_stops_with_its_reason(value: object, message: str) -> None:
    with pytest.raises(HydrationError, match=message):
        hydrated({"deep": [{"down": value}]})


def test_problems_are_left_in_place_where_they_are_collected() -> None:
    found = hydrate_value(
        {"a": kind("none"), "b": kind("json", value=kind("json", value="{")), "c": 1},
        Sources(strict=False, variables={}),
    )
    assert found["a"] == Problem("Missing 'value' key in __prefect object")
    assert isinstance(found["b"], Problem)
    assert found["c"] == 1


def test_without_rendering_templates_and_variables_stay_pending() -> None:
    found = hydrate_value(
        {
            "a": kind("jinja", template="{{ 1 }}"),
            "b": kind("workspace_variable", variable_name="x"),
        },
        Sources(render=False),
    )
    assert found == {"a": Pending("jinja", "{{ 1 }}"), "b": Pending("workspace_variable", "x")}


@pytest.mark.parametrize(
    "raw", [b"123456789012345678901234567890", b"1.0e5", b'{"a":  [1.10]}', b'"\\u00e9"']
)
def test_values_without_a_kind_stay_as_written_or_equal(raw: bytes) -> None:
    found = hydrate({"a": msgspec.Raw(raw)}, variables={})["a"]
    assert bytes(found) == raw or json.loads(bytes(found)) == json.loads(raw)
    assert b"\\u" in raw or bytes(found) == raw


def test_a_kind_hidden_behind_escapes_is_found() -> None:
    raw = b'{"\\u005f_prefect_kind": "json", "value": "1"}'
    assert bytes(hydrate({"a": msgspec.Raw(raw)}, variables={})["a"]) == b"1"


def test_half_a_surrogate_pair_passes_through() -> None:
    raw = b'{"__prefect_kind": "json", "value": "\\"\\\\ud800\\""}'
    assert bytes(hydrate({"a": msgspec.Raw(raw)}, variables={})["a"]) == b'"\\ud800"'


def test_values_nested_without_end_are_refused() -> None:
    raw = b'{"__prefect_kind":"none","value":' * 900 + b"1" + b"}" * 900
    with pytest.raises(HydrationError):
        hydrate({"a": msgspec.Raw(raw)}, variables={})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON)
def test_a_value_wrapped_in_any_kind_comes_back_the_same(value: Any) -> None:
    assert hydrated({"a": kind("none", value=value)}) == {"a": value}
    assert hydrated({"a": kind("json", value=json.dumps(value))}) == {"a": value}
