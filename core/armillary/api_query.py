"""What the query of an address says, read into what a route declares: a struct of parameters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import msgspec

from armillary.errors import Invalid

if TYPE_CHECKING:
    from armillary.api import Answer, Call

T = TypeVar("T")

_WORDS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), "true"),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), "false"),
}
_SHOWN = 100
"""Characters of a wrong value that are given back."""


def reading_query(
    handler: Callable[..., Awaitable[Answer]], kind: type
) -> Callable[..., Awaitable[Answer]]:
    """Have a handler given the parameters it declares as ``query``."""

    @wraps(handler)
    async def read(call: Call, *body: object) -> Answer:
        return await handler(call, *body, query=read_query(kind, call.query))

    return read


def read_query(kind: type[T], given: Mapping[str, str]) -> T:
    """Read the parameters of a query, laxly; Invalid names the first that is wrong.

    Those that nobody declared are ignored.
    """
    found = {}
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]  # T is a struct
        text = given.get(field.encode_name)
        if text is not None:
            found[field.name] = _read(field.encode_name, field.type, text)
        elif field.required:
            name = field.encode_name
            message = f"The query parameter {name} is missing."
            raise Invalid(message, loc=("query", name), kind="missing")
    return kind(**found)


def _read(name: str, kind: Any, text: str) -> object:
    if "\0" in text:
        message = f"The query parameter {name} must not contain NUL characters (%00)."
        raise Invalid(message, loc=("query", name), kind="nul")
    kinds = get_args(kind) or (kind,)
    said = text
    if bool in kinds:
        said = _WORDS.get(text.lower(), text)
    elif datetime in kinds and "T" in text:
        said = text.replace(" ", "+")  # which a plus sign means that was not written as %2B
    try:
        return msgspec.convert(said, kind, strict=False)
    except msgspec.ValidationError as error:
        message = f"The query parameter {name} cannot be {text[:_SHOWN]!r}: {error}."
        raise Invalid(message, loc=("query", name), kind="type_error") from error
