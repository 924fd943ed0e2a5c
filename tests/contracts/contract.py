"""The API's contract as facts: which paths there are, what they take and what they answer.

Stricter than its schemas in one point: an answer has every member its schema names.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FILE = Path(__file__).parent / "prefect-3.8-api.json"
_PREFIX = "#/components/schemas/"
_MAY_LACK = {"parameter_openapi_schema"}


@cache
def document() -> dict[str, Any]:
    return json.loads(FILE.read_text())


def operations() -> Iterator[tuple[str, str]]:
    """Every method and path."""
    for path, methods in document()["paths"].items():
        for method in methods:
            yield method.upper(), path


def request_schema(method: str, path: str) -> dict[str, Any] | None:
    """The schema of an operation's body; None where it has none."""
    body = document()["paths"][path][method.lower()].get("requestBody")
    return body and body["content"]["application/json"]["schema"]


def check_answer(method: str, path: str, status: int, answer: Any) -> None:
    """Fail unless an answer has the shape the contract gives it."""
    operation = document()["paths"][path][method.lower()]
    responses = operation["responses"]
    described = responses.get(str(status)) or next(
        responses[each] for each in ("200", "201", "204") if each in responses
    )
    content = described.get("content", {}).get("application/json")
    if content is None or "schema" not in content:
        return
    validator = jsonschema.Draft202012Validator(
        {**content["schema"], "components": {"schemas": _strict()}},
        format_checker=jsonschema.FormatChecker(),
    )
    errors = [
        f"{method} {path}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator.iter_errors(answer)
    ]
    assert not errors, "\n".join(errors)


@cache
def _strict() -> dict[str, Any]:
    """The schemas, with every member required and none besides."""
    schemas = copy.deepcopy(document()["schemas"])
    inputs = {name for name in schemas if _is_input(name)}
    for name in schemas.keys() - inputs:
        schema = schemas[name]
        if schema.get("type") == "object" and "properties" in schema:
            schema["required"] = sorted(schema["properties"])
    return schemas


def _is_input(name: str) -> bool:
    """Objects that clients send, and documents that are given back as they were sent."""
    return (
        name.startswith("Body_")
        or name.endswith(("Create", "Update", "Filter"))
        or "Filter" in name
    )


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference."""
    while "$ref" in schema:
        schema = document()["schemas"][schema["$ref"].removeprefix(_PREFIX)]
    return schema
