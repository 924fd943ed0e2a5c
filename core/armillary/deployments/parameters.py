"""Parameters of runs: laid over each other, measured, and checked against their schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from armillary.deployments.job_variables import check_job_template

__all__ = [
    "MAX_SIZE",
    "ParameterError",
    "check_job_template",
    "check_parameters",
    "check_size",
    "decode_exactly",
    "merge",
]

MAX_SIZE: Final = 512 * 1024

_encode = msgspec.json.encode


class ParameterError(ValueError):
    """Parameters that cannot be used; ``circular`` where their schema is what has no end."""

    def __init__(self, message: str, *, circular: bool = False) -> None:
        super().__init__(message)
        self.circular = circular


def merge(*layers: Mapping[str, msgspec.Raw] | None) -> dict[str, msgspec.Raw]:
    """The layers over each other, later ones on top, name by name; values stay as written."""
    merged: dict[str, msgspec.Raw] = {}
    for layer in layers:
        merged.update(layer or {})
    return merged


def check_size(parameters: Mapping[str, msgspec.Raw], *, limit: int = MAX_SIZE) -> bytes:
    """The parameters as JSON; ParameterError where that takes more than ``limit`` bytes."""
    encoded = _encode(parameters)
    if len(encoded) > limit:
        raise ParameterError(
            f"The parameters take {len(encoded)} bytes as JSON; at most {limit} are stored: "
            "pass a reference to large data instead."
        )
    return encoded


def check_parameters(
    parameters: Mapping[str, msgspec.Raw],
    schema: msgspec.Raw | bytes,
    *,
    ignore_required: bool = False,
) -> None:
    """Raise ParameterError where parameters do not fit the schema of their flow."""
    from armillary.deployments.json_schema import (  # noqa: PLC0415 - loaded where it is used
        CircularSchema,
        Leniency,
        SchemaMismatch,
        check_values,
    )

    values = decode_exactly(_encode(parameters))
    try:
        check_values(values, bytes(schema), Leniency(ignore_required=ignore_required))
    except SchemaMismatch as error:
        raise ParameterError(str(error)) from error
    except CircularSchema as error:
        raise ParameterError(str(error), circular=True) from error


def decode_exactly(raw: bytes) -> Any:
    """JSON as Python values, with whole numbers of any length."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"The values cannot be read as JSON: {error}") from error
