"""Checks the templates in actions before anything is made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from armillary.deployments.hydration import (
    KIND,
    HydrationError,
    Problem,
    Sources,
    hydrate_value,
)
from armillary.errors import Invalid
from armillary_plugins.automations.faults import Place

MAX_TEMPLATE = 64 * 1024
"""Characters of one template: they are read while others wait."""
_UNRENDERED = Sources(render=False, strict=False)


class TemplateFault(ValueError):
    """What is wrong with a template; ``line`` says where, counted from 1, if that is known."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def check(template: str) -> None:
    """Raise TemplateFault for what is no template, or has too many or too deep loops."""
    from armillary.sandbox import (  # noqa: PLC0415 - Jinja is loaded for templates only
        TemplateRefused,
        check_template,
    )

    if len(template) > MAX_TEMPLATE:
        raise TemplateFault(
            f"The template has {len(template)} characters; {MAX_TEMPLATE} is the limit.", 0
        )
    try:
        check_template(template)
    except TemplateRefused as error:
        raise TemplateFault(str(error), error.line) from error


def check_text(template: str, loc: Place) -> None:
    """Check the template in a member of an action; Invalid names the member."""
    try:
        check(template)
    except TemplateFault as error:
        raise Invalid(f"'{loc[-1]}' is not a valid template: {error}", loc=loc) from error


def check_parameters(parameters: Mapping[str, msgspec.Raw], loc: Place) -> None:
    """Check what stands for other values in parameters, and the templates among them."""
    try:
        written = json.loads(msgspec.json.encode(parameters))
        hydrated = hydrate_value(_marked(written), _UNRENDERED)
        problems = list(_problems(hydrated, ""))
    except (HydrationError, ValueError, RecursionError) as error:
        raise Invalid(f"Invalid parameters: {error}", loc=loc) from error
    if problems:
        raise Invalid("Invalid parameters: \n" + "\n  ".join(problems), loc=loc)


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def _marked(value: Any) -> Any:
    """Say of texts that are templates that they are, but where something says so already."""
    if isinstance(value, str):
        if not _is_template(value):
            return value
        if len(value) > MAX_TEMPLATE:
            raise TemplateFault(f"a template is longer than {MAX_TEMPLATE} characters", 0)
        return {KIND: "jinja", "template": value}
    if isinstance(value, list):
        return [_marked(each) for each in value]
    if isinstance(value, dict) and KIND not in value:
        return {name: _marked(member) for name, member in value.items()}
    return value


def _problems(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, Problem):
        yield f"{place}: {value.message}" if place else value.message
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _problems(member, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _problems(member, f"{place}[{number}]")
