"""What the pages of variables show."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary_plugins.variables.schemas import Variable
from armillary_web.pages import TwinPaths

_SHOWN = 200
"""Characters of a value in the list."""


class VariableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A variable in the list."""

    id: str
    name: str
    value: str
    """JSON, or its beginning."""
    tags: tuple[str, ...]
    updated: datetime

    @classmethod
    def of(cls, variable: Variable) -> VariableRow:
        """Shape it."""
        text = value_text(variable)
        return cls(
            id=variable.id,
            name=variable.name,
            value=text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…",
            tags=tuple(variable.tags),
            updated=variable.updated,
        )


class VariableTwin(msgspec.Struct, frozen=True, kw_only=True):
    """A variable in the list for programs."""

    id: str
    name: str
    value: str
    """JSON."""
    tags: list[str]
    created: datetime
    updated: datetime

    @classmethod
    def of(cls, variable: Variable) -> VariableTwin:
        """Shape it."""
        return cls(
            id=variable.id,
            name=variable.name,
            value=value_text(variable),
            tags=variable.tags,
            created=variable.created,
            updated=variable.updated,
        )


class VariablePage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list of variables."""

    rows: tuple[VariableRow, ...]
    twins: TwinPaths
    name: str = ""
    """Part of the name that is searched for."""
    tags: str = ""
    filtered: bool = False
    previous_path: str | None = None
    next_path: str | None = None


class VariableTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a variable as it is filled in."""

    name: str = ""
    value: str = ""
    tags: str = ""

    @classmethod
    def of(cls, variable: Variable) -> VariableTexts:
        """Fill it in."""
        return cls(
            name=variable.name,
            value=msgspec.json.format(bytes(variable.value), indent=2).decode(),
            tags=", ".join(variable.tags),
        )

    @property
    def all_tags(self) -> list[str]:
        """The tags, each once."""
        return list(dict.fromkeys(tag.strip() for tag in self.tags.split(",") if tag.strip()))


def value_text(variable: Variable) -> str:
    """Write a value as JSON."""
    return bytes(variable.value).decode()
