"""JSON as Python values that can be written as JSON again, numbers of any size included."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

_MOST_DIGITS = 4300
"""Python reads no more."""
TOO_LONG = (
    f"A whole number has more than {_MOST_DIGITS} digits, which Python clients cannot read: send it"
    " as a text."
)
_DIGITS = b"0123456789"


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


def has_too_long_number(text: bytes) -> bool:
    """Tell whether JSON holds a whole number that Python refuses to read.

    One such value in a list would keep every client in Python from the whole list.  What is no JSON
    has none.  So many digits in a row have one at a multiple of their number: only there is looked.
    """
    step = _MOST_DIGITS + 1
    if not any(_in_a_row(text, place) for place in range(_MOST_DIGITS, len(text), step)):
        return False
    try:
        json.loads(text, parse_int=_counted)
    except _TooLongError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


class _TooLongError(Exception):
    """Found one."""


def _in_a_row(text: bytes, place: int) -> bool:
    """Tell whether more digits than Python reads are in a row around a place."""
    if text[place] not in _DIGITS:
        return False
    before, after = text[place - _MOST_DIGITS : place], text[place : place + _MOST_DIGITS + 1]
    left = len(before) - len(before.rstrip(_DIGITS))
    return left + len(after) - len(after.lstrip(_DIGITS)) > _MOST_DIGITS


def _counted(text: str) -> None:
    if len(text.lstrip("-")) > _MOST_DIGITS:
        raise _TooLongError


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
