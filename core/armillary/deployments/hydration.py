"""Values that stand for others (``__prefect_kind``): JSON in text, templates, variables.

Values travel as raw JSON and stay untouched, to the last digit, unless something in them asks to
be replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from armillary.exact_json import read_json

KIND: Final = "__prefect_kind"


class HydrationError(ValueError):
    """A value cannot be had; the message is the one clients know."""

    def __init__(self, message: str) -> None:
        super().__init__(message.encode(errors="backslashreplace").decode())


class Problem(msgspec.Struct, frozen=True):
    """What stands in place of a value that cannot be had, where problems are collected."""

    message: str


class Pending(msgspec.Struct, frozen=True):
    """What stands in place of a value that is only known once it is asked for in earnest."""

    kind: str
    text: str


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where values come from; without variables, or with ``render`` off, they stay pending."""

    variables: Mapping[str, Any] | None = None
    render: bool = True
    strict: bool = True
    note: str = ""
    """What is said besides of a variable that is not there."""


class _Removed:
    """The mark of a value whose place in its parent goes."""


_REMOVED: Final = _Removed()


def hydrate(
    parameters: Mapping[str, msgspec.Raw], *, variables: Mapping[str, msgspec.Raw], note: str = ""
) -> dict[str, msgspec.Raw]:
    """Parameters with everything in them replaced; HydrationError where that cannot be done.

    ``variables`` are those of the workspace, by name. Parameters that are one such object
    themselves are what it stands for.
    """
    sources = Sources(variables=_OnDemand(variables), note=note)
    if KIND in parameters:
        value = hydrate_value(_decoded(msgspec.json.encode(parameters)), sources)
        if not isinstance(value, dict):
            raise HydrationError("Parameters have to be an object, name by name.")
        return {name: _encoded(member) for name, member in value.items()}
    hydrated: dict[str, msgspec.Raw] = {}
    for name, raw in parameters.items():
        if not _mentions_a_kind(bytes(raw)):
            hydrated[name] = raw
            continue
        value = _bounded(_decoded(bytes(raw)), sources)
        if value is not _REMOVED:
            hydrated[name] = _encoded(value)
    return hydrated


def hydrate_for_form(
    values: Mapping[str, msgspec.Raw], *, variables: Mapping[str, msgspec.Raw], note: str = ""
) -> Any:
    """Values as a form checks them: problems stay in place, and templates are not rendered."""
    sources = Sources(variables=_OnDemand(variables), render=False, strict=False, note=note)
    return hydrate_value(_decoded(msgspec.json.encode(values)), sources)


def hydrate_value(value: Any, sources: Sources) -> Any:
    """A decoded value with everything in it replaced; a value that goes altogether is ``{}``.

    Problems are raised where ``sources.strict`` is set, else left in place as Problem values.
    """
    hydrated = _bounded(value, sources)
    return {} if hydrated is _REMOVED else hydrated


def unread_variables(
    parameters: Mapping[str, msgspec.Raw], known: Mapping[str, msgspec.Raw]
) -> set[str]:
    """The names of variables that parameters ask for, beyond those that are known.

    A name may itself stand for something, another variable even: ask again once these are known.
    """
    noting = _Noting(known)
    sources = Sources(variables=noting, strict=False)
    for value in _with_kinds(parameters):
        _bounded(value, sources)
    return noting.unknown


def _with_kinds(parameters: Mapping[str, msgspec.Raw]) -> Iterator[Any]:
    """Decode what may stand for others, and nothing else."""
    if KIND in parameters:
        yield _decoded(msgspec.json.encode(parameters))
        return
    for raw in parameters.values():
        if _mentions_a_kind(bytes(raw)):
            yield _decoded(bytes(raw))


class _OnDemand(Mapping[str, Any]):
    """Raw values by name, decoded when they are asked for."""

    def __init__(self, raw: Mapping[str, msgspec.Raw]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> Any:
        return _decoded(bytes(self._raw[name]))

    def __contains__(self, name: object) -> bool:
        return name in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


class _Noting(_OnDemand):
    """Knows which names were asked for in vain."""

    def __init__(self, raw: Mapping[str, msgspec.Raw]) -> None:
        super().__init__(raw)
        self.unknown: set[str] = set()

    def __contains__(self, name: object) -> bool:
        found = super().__contains__(name)
        if not found and isinstance(name, str):
            self.unknown.add(name)
        return found


def _mentions_a_kind(raw: bytes) -> bool:
    return b"__prefect_kind" in raw or b"\\u" in raw


def _decoded(raw: bytes) -> Any:
    try:
        return read_json(raw)
    except (ValueError, RecursionError) as error:
        raise HydrationError(f"Invalid JSON: {error}") from error


def _encoded(value: Any) -> msgspec.Raw:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return msgspec.Raw(text.encode())
    except UnicodeEncodeError:
        # half a surrogate pair, which only an escape can write
        return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())


def _bounded(value: Any, sources: Sources) -> Any:
    try:
        return _hydrate(value, sources)
    except RecursionError as error:
        raise HydrationError("The values are nested too deeply.") from error


def _hydrate(value: Any, sources: Sources) -> Any:
    if isinstance(value, list):
        members = (_hydrate(member, sources) for member in value)
        return [member for member in members if member is not _REMOVED]
    if not isinstance(value, dict):
        return value
    if KIND not in value:
        pairs = ((name, _hydrate(member, sources)) for name, member in value.items())
        return {name: member for name, member in pairs if member is not _REMOVED}
    kind = value[KIND]
    replace = _KINDS.get(kind) if isinstance(kind, str) else None
    found = value.get("value") if replace is None else replace(value, sources)
    if isinstance(found, Problem) and sources.strict:
        raise HydrationError(found.message)
    return found


def _part(value: Any, sources: Sources) -> Any:
    """A member of a kind, itself replaced where it is one."""
    return _hydrate(value, sources) if isinstance(value, dict) else value


def _is_open(value: Any) -> bool:
    return value is _REMOVED or isinstance(value, (Problem, Pending))


def _none(value: dict[str, Any], sources: Sources) -> Any:
    if "value" not in value:
        return Problem("Missing 'value' key in __prefect object")
    return _hydrate(value["value"], sources)


def _json(value: dict[str, Any], sources: Sources) -> Any:
    if "value" not in value:
        return _REMOVED
    text = _part(value["value"], sources)
    if _is_open(text) or not isinstance(text, str):
        return text
    try:
        return read_json(text)
    except (ValueError, RecursionError) as error:
        return Problem(f"Invalid JSON: {error}")


def _jinja(value: dict[str, Any], sources: Sources) -> Any:
    from armillary.sandbox import (  # noqa: PLC0415 - Jinja is loaded for templates only
        TemplateRefused,
        check_template,
        render_template,
    )

    if "template" not in value:
        return Problem("Missing 'template' key in __prefect object")
    text = _part(value["template"], sources)
    if _is_open(text):
        return text
    if not isinstance(text, str):
        return Problem("Invalid jinja: the template is not a text")
    try:
        check_template(text)
        return render_template(text, {}) if sources.render else Pending("jinja", text)
    except TemplateRefused as error:
        return Problem(f"Invalid jinja: {error}")


def _workspace_variable(value: dict[str, Any], sources: Sources) -> Any:
    if "variable_name" not in value:
        return _REMOVED
    name = _part(value["variable_name"], sources)
    if _is_open(name):
        return name
    if isinstance(name, str):
        if sources.variables is None:
            return Pending("workspace_variable", name)
        if name in sources.variables:
            return sources.variables[name]
    return Problem(f"Variable {str(name)!r} not found in workspace.{sources.note}")


_KINDS: Final = {
    "none": _none,
    "json": _json,
    "jinja": _jinja,
    "workspace_variable": _workspace_variable,
}
