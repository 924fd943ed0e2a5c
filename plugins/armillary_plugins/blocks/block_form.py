"""The form of a new block: a field for each property of its schema, and what becomes of them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from armillary.exact_json import read_json
from armillary.forms import Form
from armillary_plugins.blocks.json_values import Object, object_of
from armillary_plugins.blocks.schemas import BlockSchema
from armillary_plugins.blocks.secret_fields import secrets_of

_LONGEST = 300


class BlockField(msgspec.Struct, frozen=True, kw_only=True):
    """A property that is asked for."""

    input: str
    """What the input is called: names of properties may be anything."""
    name: str
    title: str
    kind: Literal["text", "secret", "json"]
    needed: bool
    help: str = ""
    value: str = ""
    problem: str | None = None


class BlockTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it is filled in."""

    name: str = ""
    name_problem: str | None = None
    fields: tuple[BlockField, ...] = ()

    @property
    def problems(self) -> int:
        """In how many places it does not do."""
        return sum(1 for each in self.fields if each.problem) + bool(self.name_problem)


def fields_of(schema: BlockSchema) -> tuple[BlockField, ...]:
    """Ask for each property of a schema; its default stands there to be changed."""
    fields = object_of(schema.fields, "fields")
    properties = fields.get("properties")
    needed = fields.get("required")
    secrets = {path.partition(".")[0] for path in secrets_of(fields)}
    return tuple(
        _field(number, name, given, secret=name in secrets, needed=name in _list(needed))
        for number, (name, given) in enumerate(_object(properties).items())
    )


def filled(texts: BlockTexts, form: Form) -> tuple[BlockTexts, dict[str, Any]]:
    """Read a form: what stands in it, with what is wrong by field, and the data of the block."""
    data: dict[str, Any] = {}
    fields = []
    for field in texts.fields:
        text = form.get(field.input)
        problem = _read(field, text, data)
        fields.append(msgspec.structs.replace(field, value=text, problem=problem))
    name = form.get("name").strip()
    missing = None if name else "A block needs a name."
    return BlockTexts(name=name, name_problem=missing, fields=tuple(fields)), data


def _read(field: BlockField, text: str, data: dict[str, Any]) -> str | None:
    """Put what a field holds into the data; else say what is wrong with it."""
    if not text.strip():
        return f"{field.title} is needed." if field.needed else None
    if field.kind != "json":
        data[field.name] = text
        return None
    try:
        read_json(text)
        msgspec.json.decode(text, type=msgspec.Raw)  # which takes no half of a pair of surrogates
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        return f"{field.title} is no JSON: {error}. Text stands in double quotes."
    data[field.name] = msgspec.Raw(text.encode())
    return None


def _field(number: int, name: str, given: object, *, secret: bool, needed: bool) -> BlockField:
    told = _object(given)
    text = _is_text(told)
    default = told.get("default")
    shown = default if text and isinstance(default, str) else msgspec.json.encode(default).decode()
    description = told.get("description")
    return BlockField(
        input=f"of-{number}",
        name=name,
        title=str(told.get("title") or name),
        kind=("secret" if secret else "text") if text else "json",
        needed=needed,
        help=_help(description if isinstance(description, str) else "", text=text),
        value="" if default is None or secret else shown,
    )


def _is_text(told: Object) -> bool:
    """Whether a value is text, or nothing; a reference to another schema is JSON."""
    kinds = [told, *(_object(each) for each in _list(told.get("anyOf")))]
    return any(kind.get("type") == "string" for kind in kinds) and not any(
        kind.get("type") in ("integer", "number", "boolean", "array", "object") for kind in kinds
    )


def _help(description: str, *, text: bool) -> str:
    shown = description if len(description) <= _LONGEST else f"{description[:_LONGEST]}…"
    return shown if text else f"{shown} JSON.".strip()


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
