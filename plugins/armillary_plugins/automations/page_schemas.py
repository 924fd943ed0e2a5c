"""What the pages of automations show."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary_plugins.automations.schemas import Written
from armillary_plugins.automations.telling import told_actions, told_trigger
from armillary_web.pages import TwinPaths

_tags = msgspec.json.Decoder(tuple[str, ...]).decode


class AutomationRow(msgspec.Struct, frozen=True, kw_only=True):
    """An automation in the list."""

    id: str
    name: str
    description: str
    enabled: bool
    tags: tuple[str, ...]
    waits_for: str
    does: str
    created: datetime
    updated: datetime

    @classmethod
    def of(cls, automation: Written) -> AutomationRow:
        """Shape it."""
        return cls(
            id=automation.id,
            name=automation.name,
            description=automation.description,
            enabled=automation.enabled,
            tags=_tags(automation.tags),
            waits_for=told_trigger(automation),
            does=told_actions(automation),
            created=automation.created,
            updated=automation.updated,
        )


class AutomationPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list of automations."""

    rows: tuple[AutomationRow, ...]
    twins: TwinPaths
    back: str
    name: str = ""
    tags: str = ""
    filtered: bool = False
    previous_path: str | None = None
    next_path: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an automation as JSON."""

    id: str
    title: str
    text: str


class AutomationDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An automation on its own page."""

    row: AutomationRow
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, automation: Written) -> AutomationDetail:
        """Shape it; actions that are none are left out."""
        written = (
            ("trigger", "What it waits for", automation.trigger),
            ("actions", "What it does", automation.actions),
            ("on-trigger", "What it does when it begins", automation.actions_on_trigger),
            ("on-resolve", "What it does when it is over", automation.actions_on_resolve),
        )
        return cls(
            row=AutomationRow.of(automation),
            parts=tuple(
                Part(id=key, title=title, text=bytes(raw).decode())
                for key, title, raw in written
                if bytes(raw) != b"[]"
            ),
        )
