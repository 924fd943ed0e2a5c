"""Job variables: what a pool's job template asks for, and what deployments and runs give it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from armillary.errors import Invalid

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.\-\[\]$]+)\s*\}\}")

Blocks = Mapping[str, msgspec.Raw]
"""The data of block documents by their id."""


class JobVariableError(ValueError):
    """Job variables that do not fit their pool; the message names the field."""


class BlockMissing(LookupError):
    """A default refers to a block that is not there."""

    def __init__(self) -> None:
        super().__init__("Block not found.")


def check_job_template(
    template: Mapping[str, msgspec.Raw], *, defaults: bool, blocks: Blocks | None = None
) -> None:
    """Raise Invalid for a template that is neither empty nor complete and sound.

    With ``defaults`` the default values have to fit as well; those that stand in blocks only
    where ``blocks`` are given.
    """
    if not template:
        return
    try:
        decoded = {name: _exactly(raw) for name, raw in template.items()}
    except JobVariableError as error:
        raise _invalid(f"The base_job_template cannot be used: {error}") from error
    configuration, variables = decoded.get("job_configuration"), decoded.get("variables")
    if not isinstance(configuration, dict) or not isinstance(variables, dict):
        raise _invalid(
            "The base_job_template must be empty or an object with the objects "
            "'job_configuration' and 'variables'."
        )
    properties = variables.get("properties") or {}
    if not isinstance(properties, dict):
        raise _invalid("The properties of the base_job_template's variables must be an object.")
    undeclared = sorted(set(_placeholders(configuration)) - set(properties))
    if undeclared:
        raise _invalid(
            f"The job_configuration of the base_job_template uses {', '.join(undeclared)}; "
            "declare each as a property of 'variables', or correct the placeholder."
        )
    if defaults:
        try:
            check_job_variables(bytes(template["variables"]), strict_defaults=True, blocks=blocks)
        except JobVariableError as error:
            raise _invalid(
                f"Validation failed for work pool's job variable defaults: {error}"
            ) from error


def check_job_variables(
    variables: bytes | None,
    *layers: Mapping[str, msgspec.Raw] | None,
    require: bool = False,
    strict_defaults: bool = False,
    blocks: Blocks | None = None,
) -> None:
    """Raise JobVariableError where defaults and layers together do not fit a pool's variables.

    ``variables`` is the schema of that name in the pool's job template. A default that does not
    fit is left out, and then nothing is required, unless ``strict_defaults`` wants it reported.
    """
    from armillary.deployments.json_schema import (  # noqa: PLC0415 - loaded where it is used
        CircularSchema,
        Leniency,
        SchemaMismatch,
        check_values,
    )

    if not variables or variables in (b"null", b"{}"):
        return
    try:
        values, dropped = _defaults(variables, blocks, strict=strict_defaults)
        for layer in layers:
            values.update((name, _exactly(raw)) for name, raw in (layer or {}).items())
        leniency = Leniency(ignore_required=not require or dropped, null_for_defaults=True)
        check_values(values, variables, leniency)
    except (SchemaMismatch, CircularSchema) as error:
        raise JobVariableError(str(error)) from error


def variables_of(template: msgspec.Raw | bytes) -> bytes | None:
    """The schema of the variables in a stored job template; none where there is none."""
    decoded = msgspec.json.decode(template, type=dict[str, msgspec.Raw])
    variables = decoded.get("variables")
    return None if variables is None else bytes(variables)


def referenced_blocks(variables: bytes | None) -> set[str]:
    """The ids of the blocks that defaults refer to, to be loaded before checking."""
    if not variables:
        return set()
    found = (_block_id(default) for _, default in _written_defaults(variables))
    return {block_id for block_id in found if block_id is not None}


def _invalid(message: str) -> Invalid:
    return Invalid(message, loc=("body", "base_job_template"))


def _placeholders(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _placeholders(key)
            yield from _placeholders(member)
    elif isinstance(value, list):
        for member in value:
            yield from _placeholders(member)


def _defaults(
    variables: bytes, blocks: Blocks | None, *, strict: bool
) -> tuple[dict[str, Any], bool]:
    """The defaults that can be used, and whether some cannot."""
    if strict:
        return dict(_resolved(variables, blocks)), False
    if blocks is None:
        usable, dropped = _usable(variables)
        return dict(usable), dropped
    return _fitting(variables, blocks)


@lru_cache(maxsize=128)
def _usable(variables: bytes) -> tuple[dict[str, Any], bool]:
    return _fitting(variables, None)


def _fitting(variables: bytes, blocks: Blocks | None) -> tuple[dict[str, Any], bool]:
    from armillary.deployments.json_schema import (  # noqa: PLC0415 - loaded where it is used
        Leniency,
        find_errors,
    )

    leniency = Leniency(ignore_required=True, repair=False, formats=True)
    fitting: dict[str, Any] = {}
    dropped = False
    for name, default in _resolved(variables, blocks):
        if find_errors({name: default}, variables, leniency):
            dropped = True
        else:
            fitting[name] = default
    return fitting, dropped


def _resolved(variables: bytes, blocks: Blocks | None) -> Iterator[tuple[str, Any]]:
    for name, default in _written_defaults(variables):
        if not isinstance(default, dict) or "$ref" not in default:
            yield name, default
            continue
        block_id = _block_id(default)
        if block_id is None or blocks is None:
            continue
        if block_id not in blocks:
            raise BlockMissing
        yield name, _exactly(blocks[block_id])


def _written_defaults(variables: bytes) -> Iterator[tuple[str, Any]]:
    schema = _exactly(variables)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return
    for name, member in properties.items():
        if isinstance(member, dict) and "default" in member:
            yield name, member["default"]


def _exactly(raw: msgspec.Raw | bytes) -> Any:
    """JSON as Python values; JobVariableError for numbers longer than Python reads."""
    try:
        return json.loads(bytes(raw))
    except ValueError as error:
        raise JobVariableError(f"A value cannot be read as JSON: {error}.") from error


def _block_id(default: object) -> str | None:
    reference = default.get("$ref") if isinstance(default, dict) else None
    found = reference.get("block_document_id") if isinstance(reference, dict) else None
    return found.lower() if isinstance(found, str) else None
