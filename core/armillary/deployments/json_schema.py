"""Checks values against the JSON schemas clients send (Draft 2020-12, with their older habits).

Loads jsonschema, so import it only where there is something to check.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, cast

import jsonschema
import msgspec
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, create
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped] # no types
from referencing.exceptions import Unresolvable

from armillary.deployments.hydration import Pending, Problem

_PROBLEMS: Final = "_problems"


class SchemaMismatch(ValueError):
    """Values that do not fit their schema, or a schema that is none."""


class CircularSchema(ValueError):
    """A schema that refers to itself without end."""


class Leniency(msgspec.Struct, frozen=True, kw_only=True):
    """What is let pass; ``repair`` is for the habits of older clients' schemas.

    Those are optional properties that mean to accept null, tuples written as a list of items, and
    blocks given by reference. ``null_for_defaults`` lets null pass for properties with a default.
    """

    ignore_required: bool = False
    repair: bool = True
    null_for_defaults: bool = False
    formats: bool = False


def _problems(
    _validator: Any, _property: Any, instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, Problem):
        yield ValidationError(instance.message)


def _applicable(schema: Any) -> list[tuple[str, Any]]:
    return [*schema.items(), (_PROBLEMS, None)]


_Validator: Final = create(
    meta_schema=Draft202012Validator.META_SCHEMA,
    validators={**Draft202012Validator.VALIDATORS, _PROBLEMS: _problems},
    version="armillary",
    type_checker=Draft202012Validator.TYPE_CHECKER,
    format_checker=Draft202012Validator.FORMAT_CHECKER,
    id_of=cast("Any", Draft202012Validator.ID_OF),  # the stub of create() is narrower
    applicable_validators=_applicable,
)


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise SchemaMismatch for a schema that is none."""
    try:
        Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise SchemaMismatch(f"Invalid schema: {error.message}") from error
    except RecursionError as error:
        raise CircularSchema(_CIRCULAR) from error
    except (ValueError, ArithmeticError) as error:
        raise SchemaMismatch(f"Invalid schema: {error}") from error


def check_values(values: Any, schema: bytes, leniency: Leniency) -> None:
    """Raise SchemaMismatch with the most telling error of values that do not fit."""
    error = best_match(find_errors(values, schema, leniency))
    if error is None:
        return
    field = "" if error.json_path == "$" else f" for field {error.json_path.replace('$.', '')!r}"
    raise SchemaMismatch(f"Validation failed{field}. Failure reason: {error.message}")


def find_errors(values: Any, schema: bytes, leniency: Leniency) -> list[ValidationError]:
    """All errors of values that do not fit; remote references are never followed."""
    validator = _validator(schema, leniency)
    try:
        return list(validator.iter_errors(values))
    except RecursionError as error:
        raise CircularSchema(_CIRCULAR) from error
    except (Unresolvable, ValueError, ArithmeticError) as error:  # bad addresses, huge numbers
        raise SchemaMismatch(f"Validation failed. Failure reason: {error}") from error


def error_tree(values: Any, schema: bytes) -> dict[str, object]:
    """All errors in the nested shape forms show: by property and index, texts at the leaves."""
    tree: list[Any] = []
    for error in _most_telling(find_errors(values, schema, Leniency(formats=True))):
        if isinstance(error.instance, Pending):
            continue
        path = list(error.relative_path)
        if error.validator == "required":
            path.append(error.message.partition("' is a required")[0].removeprefix("'"))
        shown = [_shown(part) if isinstance(part, str) else part for part in path]
        _branch(tree, shown).append(_shown(error.message))
    return {"errors": tree, "valid": not tree}


_CIRCULAR: Final = (
    "The schema refers to itself in a circle without end; cut the circle at one of its $refs."
)


@lru_cache(maxsize=256)
def _validator(text: bytes, leniency: Leniency) -> Validator:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaMismatch(f"Invalid schema: {error}") from error
    if not isinstance(schema, dict):
        raise SchemaMismatch("Invalid schema: it has to be an object.")
    if leniency.repair:
        schema = _repaired(schema, nullable_defaults=leniency.null_for_defaults)
    check_schema(schema)
    if leniency.ignore_required:
        schema = _without_required(schema)
    checker = _Validator.FORMAT_CHECKER if leniency.formats else None
    return _Validator(schema, registry=REGISTRY, format_checker=checker)


def _most_telling(errors: list[ValidationError]) -> list[ValidationError]:
    """Where a value could not be had, what the schema thinks of it does not matter."""
    spoiled = {str(e.relative_path) for e in errors if e.validator == _PROBLEMS}
    return [e for e in errors if e.validator == _PROBLEMS or str(e.relative_path) not in spoiled]


def _shown(text: str) -> str:
    """Write half a surrogate pair, which no answer can hold, as an escape."""
    return text.encode(errors="backslashreplace").decode()


def _branch(tree: list[Any], path: list[str | int]) -> list[Any]:
    for part in path:
        kind = "index" if isinstance(part, int) else "property"
        entry = next((e for e in tree if isinstance(e, dict) and e.get(kind) == part), None)
        if entry is None:
            entry = {kind: part, "errors": []}
            tree.append(entry)
        tree = entry["errors"]
    return tree


def _repaired(schema: dict[str, Any], *, nullable_defaults: bool) -> dict[str, Any]:
    schema = copy.deepcopy(schema)
    _repair_properties(schema, nullable_defaults=nullable_defaults)
    definitions = schema.get("definitions")
    if isinstance(definitions, dict):
        for name, definition in definitions.items():
            if not isinstance(definition, dict):
                continue
            _repair_properties(definition, nullable_defaults=nullable_defaults)
            if "block_type_slug" in definition:
                definitions[name] = {"oneOf": [definition, _BLOCK_REFERENCE]}
    return schema


def _repair_properties(schema: dict[str, Any], *, nullable_defaults: bool) -> None:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    required = schema.get("required")
    for name, member in properties.items():
        if not isinstance(member, dict):
            continue
        optional = not isinstance(required, list) or name not in required
        if optional and (nullable_defaults or "default" not in member):
            _accept_null(member)
        items = member.get("items")
        if isinstance(items, list) and not member.get("prefixItems"):
            member["prefixItems"] = member.pop("items")
        _repair_properties(member, nullable_defaults=nullable_defaults)


def _accept_null(member: dict[str, Any]) -> None:
    kind = member.get("type", "null")
    kinds = kind if isinstance(kind, list) else [kind]
    if "null" not in kinds:
        member["type"] = [*kinds, "null"]


_BLOCK_REFERENCE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "$ref": {
            "oneOf": [
                {"type": "string", "format": "uuid"},
                {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "minProperties": 1,
                },
            ]
        }
    },
    "required": ["$ref"],
}


def _without_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_required(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_required(member)
        for name, member in schema.items()
        if name != "required" or not isinstance(member, list)
    }
