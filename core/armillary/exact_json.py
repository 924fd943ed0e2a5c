"""JSON as Python values, of which each can be written as JSON again."""

from __future__ import annotations

import json
import math
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Read a value, whole numbers of any length; ValueError for what is no JSON.

    Python by itself takes NaN and Infinity as well, and reads 1e999 as the latter.
    """
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:100]} is larger than a decimal number can be")
    return number
