"""What a schema says of values, told by the path of the field it concerns."""

from __future__ import annotations

from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from armillary.deployments.json_schema import CircularSchema, Leniency, SchemaMismatch, find_errors
from armillary_plugins.ui.forms.filled import Path, Problems


def schema_problems(values: Any, schema: bytes) -> Problems:
    """Hold values against a schema as runs are; what concerns all of them has the empty path."""
    try:
        errors = find_errors(values, schema, Leniency())
    except (SchemaMismatch, CircularSchema) as error:
        return {(): str(error)}
    problems: Problems = {}
    for each in errors:
        path, text = _told(best_match([each]) or each)
        problems.setdefault(path, text)
    return problems


def _told(error: ValidationError) -> tuple[Path, str]:
    path: Path = tuple(error.absolute_path)
    if error.validator == "required":
        missing = error.message.partition("' is a required")[0].removeprefix("'")
        return (*path, missing), "This has to be given."
    return path, f"{error.message[:1].upper()}{error.message[1:]}."
