"""JSON as Python values that can be written as JSON again, numbers of any size included."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

_MOST_DIGITS = 4300
"""Python reads no more."""


def read_json(text: str | bytes) -> Any:
    """Read a value, whole numbers of any length; ValueError for what is no JSON.

    Python by itself takes NaN and Infinity as well, and reads 1e999 as the latter.
    """
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def read_any(text: str | bytes) -> Any:
    """Read what others wrote, however large its numbers: what no number here holds is a text.

    ValueError for what is no JSON.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text, parse_int=_whole, parse_float=_decimal)


def _whole(text: str) -> int | str:
    return text if len(text) > _MOST_DIGITS else int(text)


def _decimal(text: str) -> float | str:
    number = float(text)
    return text if math.isinf(number) else number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:100]} is larger than a decimal number can be")
    return number
