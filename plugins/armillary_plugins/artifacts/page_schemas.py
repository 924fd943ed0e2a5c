"""What the pages of artifacts show."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Row
from armillary_plugins.artifacts.shaping import Shown
from armillary_web.pages import TwinPaths


class TypeChoice(msgspec.Struct, frozen=True):
    """An entry of the pick list of types."""

    value: str
    text: str


TYPES = tuple(
    TypeChoice(value, text)
    for value, text in (
        ("markdown", "Text"),
        ("table", "Tables"),
        ("progress", "Progress"),
        ("image", "Images"),
    )
)
"""What clients make; a link is a text with nothing but a link in it."""


class ArtifactRow(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact in a list."""

    id: str
    key: str
    type: str | None
    description: str | None
    """Its beginning."""
    flow_run_id: str | None
    flow_run_name: str | None
    task_run_id: str | None
    task_run_name: str | None
    created: datetime

    @classmethod
    def of(cls, row: Row) -> ArtifactRow:
        """Shape it."""
        return cls(
            key=row[0],
            id=row[1],
            created=from_micros(row[2]),
            type=row[3],
            description=row[4],
            flow_run_id=row[5],
            flow_run_name=row[6],
            task_run_id=row[7],
            task_run_name=row[8],
        )


class KeyPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list of keys, with the latest artifact of each."""

    rows: tuple[ArtifactRow, ...]
    twins: TwinPaths
    name: str = ""
    """Part of the key that is searched for."""
    type: str = ""
    filtered: bool = False
    previous_path: str | None = None
    next_path: str | None = None

    @property
    def types(self) -> tuple[TypeChoice, ...]:
        """The entries of the pick list."""
        return TYPES


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the history of a key, newest first, with the latest artifact of all."""

    key: str
    rows: tuple[ArtifactRow, ...]
    latest: Shown | None
    twins: TwinPaths
    previous_path: str | None = None
    next_path: str | None = None


class ArtifactDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact on its own page."""

    shown: Shown
    row: ArtifactRow
    key: str | None
    updated: datetime
