"""Templates that users write: checked, and rendered without reach and with bounded work.

Loads Jinja, so import it only where a template is at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_RANGE: Final = 100
MAX_LOOPS: Final = 10
MAX_DEPTH: Final = 2
MAX_LENGTH: Final = 512 * 1024

_MAX_NUMBER: Final = 10**100
_PADDING = frozenset({"center", "expandtabs", "ljust", "rjust", "zfill"})
_WIDE = re.compile(r"\d{4}|\*|:[^}]*\{")


class TemplateRefused(ValueError):
    """A template that is no template, asks for too much, or fails; the message says which.

    ``line`` is where, counted from 1, if one line is at fault.
    """

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _PADDING and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _check_product(left, right)
        elif operator == "**":
            _check_power(left, right)
        elif isinstance(left, (str, bytes)):
            _check_widths(str(left))
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _check_widths(str(value.__self__))
        return wrapped


def check_template(text: str) -> None:
    """Refuse a text that is no template, or has too many or too deep loops."""
    try:
        root = _sandbox().parse(text)
        loops = sum(1 for _ in root.find_all(nodes.For))
        depth = _depth(root)
    except TemplateSyntaxError as error:
        raise TemplateRefused(str(error.message), line=error.lineno) from error
    except TemplateError as error:
        raise TemplateRefused(str(error)) from error
    except RecursionError as error:
        raise TemplateRefused("The template is nested too deeply.") from error
    if loops > MAX_LOOPS:
        raise TemplateRefused(
            f"Contains {loops} for loops; a template can have at most {MAX_LOOPS}."
        )
    if depth > MAX_DEPTH:
        raise TemplateRefused(
            f"Contains for loops nested {depth} deep; a template can nest them {MAX_DEPTH} deep."
        )


def render_template(text: str, context: Mapping[str, object]) -> str:
    """The text with its expressions filled in; a text without any is itself."""
    if "{{" not in text and "{%" not in text:
        return text
    check_template(text)
    try:
        return "".join(_bounded(_sandbox().from_string(text).generate(context)))
    except TemplateRefused:
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise TemplateRefused(f"Failed to render the template: {reason}") from error


def _bounded(parts: Iterable[str]) -> Iterator[str]:
    length = 0
    for part in parts:
        length += len(part)
        if length > MAX_LENGTH:
            raise TemplateRefused(f"The result has more than {MAX_LENGTH} characters.")
        yield part


@lru_cache(maxsize=1)
def _sandbox() -> _Sandbox:
    sandbox = _Sandbox()
    sandbox.globals = {"range": _range, "dict": dict}
    for name in ("center", "format", "indent", "random", "pprint", "wordwrap", "batch", "slice"):
        del sandbox.filters[name]
    return sandbox


def _range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > MAX_RANGE:
        raise TemplateRefused(
            f"Range of {len(numbers)} is too long; a template can count to {MAX_RANGE}."
        )
    return numbers


def _depth(node: nodes.Node) -> int:
    below = max((_depth(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)


def _check_product(left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if abs(left * right) > _MAX_NUMBER:
            raise TemplateRefused("A number is too large.")
        return
    many, times = (right, left) if isinstance(left, int) else (left, right)
    if not isinstance(many, (str, bytes, list, tuple)) or not isinstance(times, int):
        return
    if len(many) * times > MAX_RANGE * MAX_RANGE:
        raise TemplateRefused("A repeated value is too long.")


def _check_power(left: object, right: object) -> None:
    if not isinstance(left, int) or not isinstance(right, int):
        return
    if left.bit_length() * right > _MAX_NUMBER.bit_length():
        raise TemplateRefused("A number is too large.")


def _check_widths(text: str) -> None:
    if _WIDE.search(text):
        raise TemplateRefused("A width in a format is too large or left open.")
