"""Types that know all of their members: how it is noticed that a request has one nobody knows.

Unknown members are ignored, for clients may be newer than the server.  They are counted without
looking at each request twice: it is decoded as if they were refused, and once more only if it is.
"""

from __future__ import annotations

import re
import types
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

_NAMED = re.compile(r"unknown field `(?P<name>.*?)`(?: - at `|$)", re.DOTALL)
_LONGEST = 60
_UNIONS = (Union, types.UnionType)
_made: dict[type[msgspec.Struct], type[msgspec.Struct]] = {}


@cache
def knowing(kind: Any) -> Any:
    """Return the type whose structs, however deep, refuse members they do not know.

    What it decodes is of the given type as well.  A struct inside itself is left as it is.
    """
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind)
    origin = get_origin(kind)
    if origin is None or origin is Literal:
        return kind
    if origin is Annotated:
        inner, *notes = get_args(kind)
        return Annotated[(knowing(inner), *notes)]
    parts = tuple(knowing(part) for part in get_args(kind))
    return Union[parts] if origin in _UNIONS else origin[parts]  # noqa: UP007 - of any number


def member_of(error: msgspec.ValidationError) -> str:
    """Name the member that was refused."""
    found = _NAMED.search(str(error))
    return found["name"][:_LONGEST] if found else ""


def _struct(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    if kind in _made:
        return _made[kind]
    _made[kind] = kind
    fields = [
        (field.name, knowing(field.type), _default(field)) for field in msgspec.structs.fields(kind)
    ]
    _made[kind] = made = msgspec.defstruct(
        kind.__name__,
        fields,
        bases=(kind,),
        module=kind.__module__,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return made


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return msgspec.field(default=field.default, name=field.encode_name)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory, name=field.encode_name)
    return msgspec.field(name=field.encode_name)
