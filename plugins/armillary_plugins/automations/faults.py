"""What is wrong with a part of an automation, and where in the request that part is."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TypeAlias

import msgspec

from armillary.errors import Invalid

Place: TypeAlias = tuple[str | int, ...]

_AT = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_word = msgspec.json.Decoder(str)


def members_of(raw: msgspec.Raw, loc: Place, what: str) -> dict[str, msgspec.Raw]:
    """Return the members of an object but those that are null; Invalid for anything else."""
    try:
        found = _members.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"{what} is an object.", loc=loc, kind="dict_type") from error
    return {name: value for name, value in found.items() if bytes(value) != b"null"}


def word_of(raw: msgspec.Raw, known: Collection[str], loc: Place, what: str) -> str:
    """Return a word that is one of those known; Invalid for any other."""
    try:
        word = _word.decode(raw)
    except msgspec.DecodeError:
        word = ""
    if word in known:
        return word
    said = bytes(raw)[:50].decode(errors="replace")
    raise Invalid(
        f"There is no {what} {said}; there are {', '.join(known)}.",
        loc=(*loc, "type"),
        kind="literal_error",
    )


def placed(error: msgspec.ValidationError, loc: Place) -> Invalid:
    """Shape what msgspec says of a part of the body."""
    found = _AT.match(str(error))
    message = found["message"] if found else str(error)
    steps = re.findall(r"[^.\[\]$]+", (found and found["path"]) or "")
    inner = (int(step) if step.isdigit() else step for step in steps)
    return Invalid(message, loc=(*loc, *inner), kind="type_error")
