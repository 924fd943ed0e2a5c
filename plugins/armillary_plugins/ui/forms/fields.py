"""A filled form as its template draws it, with what is wrong beside each field."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from armillary_plugins.ui.forms.filled import Filled, Path, Problems, name_of, text_of
from armillary_plugins.ui.forms.nodes import Kind, Member, Node


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a choice."""

    value: str
    text: str
    chosen: bool


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field, or a group of them."""

    name: str
    label: str
    kind: Kind
    value: str = ""
    description: str = ""
    error: str | None = None
    required: bool = False
    nullable: bool = False
    boxed: bool = False
    """A yes or no that is a box to tick."""
    input_type: str = "text"
    hint: str = ""
    given: bool | None = None
    """Whether a group that may be left out is given; None where it always is."""
    options: tuple[Option, ...] = ()
    parts: tuple[Field, ...] = ()
    removable: bool = False


def fields_of(node: Node, filled: Filled, problems: Problems) -> tuple[Field, ...]:
    """Draw the members of an object, the form's own, or the one field of anything else."""
    if node.kind != "object":
        return (_field(Member("", node, required=True), filled, problems, ()),)
    return tuple(
        _field(member, filled.members[member.name], problems, (member.name,))
        for member in node.members
    )


def placed(problems: Mapping[Path, str], node: Node, filled: Filled) -> Problems:
    """Put each problem where there is a field: a place within JSON is told at the JSON."""
    there: set[Path] = set()
    _collect(node, filled, (), there)
    found: Problems = {}
    for path, text in problems.items():
        place, rest = path, [str(part) for part in path]
        while place and place not in there:
            place = place[:-1]
        inside = ".".join(rest[len(place) :])
        found.setdefault(place, f"{inside}: {text}" if inside else text)
    return found


def _collect(node: Node, filled: Filled, path: Path, there: set[Path]) -> None:
    there.add(path)
    if node.kind == "object":
        for member in node.members:
            _collect(member.node, filled.members[member.name], (*path, member.name), there)
    elif node.kind == "array" and node.items is not None:
        for place, entry in enumerate(filled):
            _collect(node.items, entry, (*path, place), there)


def _field(
    member: Member, filled: Filled, problems: Problems, path: Path, *, removable: bool = False
) -> Field:
    node = member.node
    optional = not member.required or node.nullable
    return Field(
        name=name_of(path),
        label=node.title or member.name or "Parameters",
        kind=node.kind,
        value=_value(node, filled),
        description=node.description,
        error=problems.get(path),
        required=member.required and not node.nullable and not removable,
        nullable=node.nullable,
        boxed=node.kind == "boolean" and not node.nullable and isinstance(node.default, bool),
        input_type=node.input_type,
        hint=node.hint,
        given=filled.given if node.kind == "object" and optional else None,
        options=_options(node, filled),
        parts=_parts(node, filled, problems, path),
        removable=removable,
    )


def _value(node: Node, filled: Filled) -> str:
    if node.kind == "array":
        return str(len(filled))
    return filled if isinstance(filled, str) else ""


def _options(node: Node, filled: Filled) -> tuple[Option, ...]:
    chosen = filled if node.kind == "choices" else [filled]
    choices = (True, False) if node.kind == "boolean" else node.choices
    texts = [(text_of(each), each) for each in choices]
    return tuple(
        Option(
            value=text,
            text=_word(each) if isinstance(each, bool) else str(each),
            chosen=text in chosen,
        )
        for text, each in texts
    )


def _word(value: bool) -> str:  # noqa: FBT001 - the value itself
    return "Yes" if value else "No"


def _parts(node: Node, filled: Filled, problems: Problems, path: Path) -> tuple[Field, ...]:
    if node.kind == "object":
        return tuple(
            _field(member, filled.members[member.name], problems, (*path, member.name))
            for member in node.members
        )
    if node.kind == "array" and node.items is not None:
        words = node.items.title or node.title
        item = msgspec.structs.replace(node.items, title="")
        return tuple(
            _field(
                Member(f"{words} {place + 1}".strip(), item, required=True),
                entry,
                problems,
                (*path, place),
                removable=True,
            )
            for place, entry in enumerate(filled)
        )
    return ()
