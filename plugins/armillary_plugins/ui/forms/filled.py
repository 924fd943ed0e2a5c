"""What a form holds: texts as they were typed, from values or from what was sent, and back.

A filled form keeps the node's shape: a text for a field, a list for a list, for an object its
members and whether it is given at all.  So a text that is no number comes back as it was typed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from armillary.exact_json import read_json
from armillary.forms import Form
from armillary_plugins.ui.forms.nodes import Json, Member, Node

Path: TypeAlias = tuple[str | int, ...]
Problems: TypeAlias = dict[Path, str]
MOST = 100
"""Entries of a list that a form shows."""
PREFIX = "p"
_WHOLE = re.compile(r"[+-]?\d{1,4000}")
_SIMPLE = frozenset({"text", "long", "integer", "number", "boolean", "choice", "json"})


class Given(msgspec.Struct, frozen=True):
    """An object as it is filled in."""

    members: Mapping[str, Any]
    given: bool = True


class _Omitted:
    """The mark of what is left out."""


OMITTED = _Omitted()
Filled: TypeAlias = Any


def name_of(path: Path) -> str:
    """The name of a field; a part of the path may hold any character."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "/".join((PREFIX, *parts))


def text_of(value: Json) -> str:
    """A value as JSON, over lines where it has parts."""
    return json.dumps(
        value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) else None
    )


def from_value(node: Node, value: Json) -> Filled:
    """Fill in a value; :data:`OMITTED` stands for none, which takes the node's default."""
    if value is OMITTED:
        value = OMITTED if node.default is msgspec.UNSET else node.default
    nothing = value is OMITTED or value is None
    if node.kind == "object":
        inner: Mapping[str, Json] = value if isinstance(value, dict) else {}
        members = {
            member.name: from_value(member.node, inner.get(member.name, OMITTED))
            for member in node.members
        }
        return Given(members, given=isinstance(value, dict))
    if node.kind in ("array", "choices"):
        entries = value if isinstance(value, list) else []
        if node.kind == "choices":
            return [text_of(entry) for entry in entries]
        return [from_value(_items(node), entry) for entry in entries[:MOST]]
    if nothing:
        return ""
    if node.kind in ("json", "choice", "boolean"):
        return text_of(value)
    return value if isinstance(value, str) else text_of(value)


def from_form(node: Node, form: Form, path: Path = (), *, required: bool = True) -> Filled:
    """Read what was sent for a node."""
    name = name_of(path)
    if node.kind == "object":
        members = {
            member.name: from_form(
                member.node, form, (*path, member.name), required=member.required
            )
            for member in node.members
        }
        always = required and not node.nullable
        return Given(members, given=always or form.get(name) == "yes")
    if node.kind == "choices":
        return [each for each in form.every(name) if each]
    if node.kind == "array":
        text = form.get(name, "0")
        count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        return [from_form(_items(node), form, (*path, place)) for place in range(min(count, MOST))]
    return form.get(name)


def changed(node: Node, filled: Filled, action: str, path: Path = ()) -> Filled:
    """Add an entry to a list, or take one out: ``add:NAME`` of the list, ``remove:NAME`` of it."""
    if node.kind == "object":
        members = {
            member.name: changed(
                member.node, filled.members[member.name], action, (*path, member.name)
            )
            for member in node.members
        }
        return Given(members, filled.given)
    if node.kind != "array":
        return filled
    kept = [
        changed(_items(node), entry, action, (*path, place))
        for place, entry in enumerate(filled)
        if action != f"remove:{name_of((*path, place))}"
    ]
    if action == f"add:{name_of(path)}" and len(kept) < MOST:
        fresh = from_value(_items(node), OMITTED)
        kept.append(Given(fresh.members) if isinstance(fresh, Given) else fresh)
    return kept


def to_value(  # noqa: PLR0911 - one answer for each kind
    node: Node, filled: Filled, problems: Problems, path: Path = (), *, required: bool = True
) -> Json:
    """Turn what is filled in into a value, or :data:`OMITTED`; what cannot be read is a problem."""
    nothing = None if node.nullable else OMITTED
    if node.kind == "object":
        if not filled.given:
            return nothing
        return _members(node, filled, problems, path)
    if node.kind == "array":
        entries = [
            to_value(_items(node), entry, problems, (*path, place))
            for place, entry in enumerate(filled)
        ]
        if entries or required or node.default is not msgspec.UNSET:
            return ["" if entry is OMITTED else entry for entry in entries]
        return nothing
    if node.kind == "choices":
        return [_json(each, problems, path) for each in filled]
    if filled == "":
        blank = node.kind in ("text", "long") and isinstance(node.default, str)
        return "" if blank and not node.nullable else nothing
    if node.kind in ("text", "long"):
        return filled
    if node.kind in ("integer", "number"):
        return _number(node, filled.strip(), problems, path)
    return _json(filled, problems, path)


def _members(node: Node, filled: Given, problems: Problems, path: Path) -> dict[str, Json]:
    found = {member.name: _member(member, filled, problems, path) for member in node.members}
    return {name: value for name, value in found.items() if value is not OMITTED}


def _member(member: Member, filled: Given, problems: Problems, path: Path) -> Json:
    return to_value(
        member.node,
        filled.members[member.name],
        problems,
        (*path, member.name),
        required=member.required,
    )


def _number(node: Node, text: str, problems: Problems, path: Path) -> Json:
    if _WHOLE.fullmatch(text):
        return int(text)
    if node.kind == "integer":
        problems[path] = f"{text!r} is no whole number."
        return OMITTED
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        problems[path] = f"{text!r} is no number; write it like 0.5 or 1e-3."
        return OMITTED
    return found


def _json(text: str, problems: Problems, path: Path) -> Json:
    try:
        return read_json(text)
    except (ValueError, RecursionError) as error:
        problems[path] = f"This is no JSON: {error}. Text stands in double quotes."
        return OMITTED


def _items(node: Node) -> Node:
    return node.items or Node(kind="json")
