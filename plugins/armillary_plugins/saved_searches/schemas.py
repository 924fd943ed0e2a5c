"""Saved searches on the wire."""

from __future__ import annotations

from datetime import datetime

import msgspec

from armillary.api import Body, OrDefault


class SearchCondition(msgspec.Struct, frozen=True, kw_only=True):
    """One condition: ``operation`` on a ``property`` of an ``object``."""

    object: str
    property: str
    type: str
    operation: str
    value: msgspec.Raw


class SaveSearch(Body):
    """A search to save."""

    name: str
    filters: OrDefault[list[SearchCondition]] = msgspec.field(default_factory=list)


class ListSavedSearches(Body):
    """Which part of the saved searches to list, by name."""

    limit: int | None = None
    offset: OrDefault[int] = 0


class SavedSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A saved search as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    filters: list[SearchCondition]
