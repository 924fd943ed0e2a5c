"""Merging parameters, their size, and the schemas they are checked against."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from armillary.deployments.hydration import Pending, Problem
from armillary.deployments.json_schema import SchemaMismatch, error_tree
from armillary.deployments.parameters import (
    ParameterError,
    check_parameters,
    check_size,
    merge,
)

BIG = 123456789012345678901234567890


def raws(values: dict[str, Any]) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}


def check(values: dict[str, Any], schema: object, *, ignore_required: bool = False) -> None:
    check_parameters(raws(values), json.dumps(schema).encode(), ignore_required=ignore_required)


def test_later_layers_win_name_by_name_and_nothing_is_merged_below() -> None:
    merged = merge(raws({"a": {"x": 1}, "b": BIG}), None, raws({"a": {"y": 2}, "c": None}))
    assert {name: bytes(raw) for name, raw in merged.items()} == {
        "a": b'{"y": 2}',
        "b": str(BIG).encode(),
        "c": b"null",
    }


def test_parameters_up_to_the_limit_are_kept_as_written() -> None:
    assert check_size(raws({"a": BIG}), limit=len(f'{{"a":{BIG}}}')) == f'{{"a":{BIG}}}'.encode()


def test_parameters_over_the_limit_are_refused() -> None:
    with pytest.raises(ParameterError, match="take 524297 bytes as JSON; at most 524288"):
        check_size(raws({"a": "x" * (512 * 1024 + 1)}))


SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "name": {"type": "string", "default": "x"},
        "pair": {"type": "array", "items": [{"type": "integer"}, {"type": "string"}]},
        "inner": {
            "type": "object",
            "properties": {"deep": {"type": "integer"}, "must": {"type": "integer"}},
            "required": ["must"],
        },
        "must": {"type": "boolean"},
        "required": {"type": "string"},
    },
    "required": ["must"],
}


@pytest.mark.parametrize(
    "values",
    [
        {"must": True},
        {"must": True, "count": None},
        {"must": True, "count": BIG},
        {"must": True, "pair": [1, "a"]},
        {"must": True, "inner": {"must": 1, "deep": None}},
        {"must": True, "extra": 1},
        {"must": True, "inner": None},
    ],
)
def test_parameters_that_fit_pass(values: dict[str, Any]) -> None:
    check(values, SCHEMA)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Validation failed. Failure reason: 'must' is a required property"),
        (
            {"must": 1},
            "Validation failed for field 'must'. Failure reason: 1 is not of type 'boolean'",
        ),
        (
            {"must": True, "count": "a"},
            (
                "Validation failed for field 'count'. "
                "Failure reason: 'a' is not of type 'integer', 'null'"
            ),
        ),
        (
            {"must": True, "pair": [1, 2]},
            "Validation failed for field 'pair[1]'. Failure reason: 2 is not of type 'string'",
        ),
        (
            {"must": True, "inner": {"must": None}},
            (
                "Validation failed for field 'inner.must'. "
                "Failure reason: None is not of type 'integer'"
            ),
        ),
        (
            {"must": True, "name": None},
            "Validation failed for field 'name'. Failure reason: None is not of type 'string'",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused_in_the_known_words(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        check(values, SCHEMA)
    assert str(caught.value) == message
    assert not caught.value.circular


def test_required_properties_can_be_ignored_at_every_depth() -> None:
    check({"inner": {}}, SCHEMA, ignore_required=True)
    with pytest.raises(ParameterError, match="'required'"):
        check({"required": 1}, SCHEMA, ignore_required=True)


@pytest.mark.parametrize(
    "value",
    [
        {"key": "secret"},
        {"$ref": "0b1e1ed6-1c7f-4a38-8d43-37a4e1cd0000"},
        {"$ref": {"block_document_id": "0b1e1ed6-1c7f-4a38-8d43-37a4e1cd0000"}},
    ],
)
def test_a_block_may_be_given_whole_or_by_reference(value: object) -> None:
    check({"block": value}, BLOCK_SCHEMA)


def test_what_is_neither_a_block_nor_a_reference_is_refused() -> None:
    with pytest.raises(ParameterError, match='for field "block'):
        check({"block": {"$ref": {}}}, BLOCK_SCHEMA)


BLOCK_SCHEMA = {
    "type": "object",
    "properties": {"block": {"$ref": "#/definitions/Credentials"}},
    "definitions": {
        "Credentials": {
            "title": "Credentials",
            "type": "object",
            "block_type_slug": "credentials",
            "properties": {"key": {"type": "string"}},
            "required": ["key"],
        }
    },
}


def test_remote_references_are_never_fetched() -> None:
    schema = {"properties": {"a": {"$ref": "http://127.0.0.1:1/schema.json"}}}
    with pytest.raises(ParameterError, match=r"Validation failed. Failure reason: .*127.0.0.1"):
        check({"a": 1}, schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {
            "properties": {"a": {"$ref": "#/definitions/A"}},
            "definitions": {
                "A": {"$ref": "#/definitions/B"},
                "B": {"$ref": "#/definitions/A"},
            },
        },
    ],
)
def test_a_circle_of_references_is_told_apart(schema: object) -> None:
    with pytest.raises(ParameterError, match="circle") as caught:
        check({"a": 1}, schema)
    assert caught.value.circular


@pytest.mark.parametrize("schema", [[], 3, {"type": "text"}, {"properties": {"a": {"type": 3}}}])
def test_a_schema_that_is_none_is_named_as_such(schema: object) -> None:
    with pytest.raises(ParameterError, match="Invalid schema"):
        check({}, schema)


def test_a_number_too_long_to_read_is_refused() -> None:
    with pytest.raises(ParameterError, match="cannot be read"):
        check_parameters({"a": msgspec.Raw(b"1" * 5000)}, b"{}")


def test_errors_are_listed_by_property_and_index_for_forms() -> None:
    schema = json.dumps(
        {
            "type": "object",
            "properties": {
                "a": {"type": "array", "items": {"type": "integer"}},
                "b": {"type": "integer"},
                "c": {"type": "integer"},
                "d": {"type": "object", "properties": {"e": {"type": "integer"}}},
            },
            "required": ["z"],
        }
    ).encode()
    values = {
        "a": [1, "x"],
        "b": Problem("Missing 'value' key in __prefect object"),
        "c": Pending("jinja", "{{ 1 }}"),
        "d": {"e": "no"},
    }
    tree = error_tree(values, schema)
    assert tree["valid"] is False
    errors = tree["errors"]
    assert isinstance(errors, list)
    assert {"property": "z", "errors": ["'z' is a required property"]} in errors
    assert {
        "property": "a",
        "errors": [{"index": 1, "errors": ["'x' is not of type 'integer'"]}],
    } in errors
    assert {"property": "b", "errors": ["Missing 'value' key in __prefect object"]} in errors
    assert not [entry for entry in errors if entry.get("property") == "c"]
    assert error_tree({"z": 1}, schema) == {"errors": [], "valid": True}
    assert error_tree([], b'{"type": "object"}')["errors"] == ["[] is not of type 'object'"]
    with pytest.raises(SchemaMismatch):
        error_tree({}, b'{"type": "text"}')


def test_importing_parameters_loads_neither_jsonschema_nor_jinja() -> None:
    program = (
        "import sys, armillary.deployments.parameters, armillary.deployments.hydration,"
        " armillary.deployments.schedules\n"
        "print([name for name in ('jsonschema', 'jinja2', 'croniter') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
