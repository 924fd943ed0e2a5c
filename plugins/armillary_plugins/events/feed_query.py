"""The query of the feed: from when on, which names, of which resource, and where it is cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import msgspec

from armillary_plugins.events.repository.finding import Place
from armillary_plugins.events.schemas import AnyResourceFilter, EventFilter, NameFilter
from armillary_plugins.events.window import Window

BASE = "/events"
RANGES = {
    "1h": ("Past hour", timedelta(hours=1)),
    "1d": ("Past day", timedelta(days=1)),
    "7d": ("Past week", timedelta(days=7)),
    "30d": ("Past 30 days", timedelta(days=30)),
}
_USUAL = "1d"
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 300
_AHEAD = 60 * 1_000_000
"""Clocks of those who tell may be ahead: so far events from the future are shown."""


class FeedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    range: str = _USUAL
    event: str = ""
    resource: str = ""
    before: Place | None = None
    """Only events older than one."""
    after: Place | None = None

    @property
    def filter(self) -> EventFilter:
        """The filter of the API."""
        return EventFilter(
            event=NameFilter(prefix=[self.event]) if self.event else None,
            any_resource=AnyResourceFilter(id=[self.resource]) if self.resource else None,
        )

    def window(self, now: int) -> Window:
        """From when to when it is looked."""
        return Window(now - RANGES[self.range][1] // _MICROSECOND, now + _AHEAD)

    def path(
        self, prefix: str = "", *, before: Place | None = None, after: Place | None = None
    ) -> str:
        """The address of the feed from its beginning, or of a part of it."""
        given = {
            "range": self.range if self.range != _USUAL else "",
            "event": self.event,
            "resource": self.resource,
            "before": _text(before),
            "after": _text(after),
        }
        query = urlencode({name: text for name, text in given.items() if text})
        return f"{prefix}{BASE}?{query}" if query else prefix + BASE

    def here(self, prefix: str = "") -> str:
        """The address of this part."""
        return self.path(prefix, before=self.before, after=self.after)


def read_feed_query(query: Mapping[str, str]) -> FeedQuery:
    """Read a query; what makes no sense is left out."""
    asked = query.get("range", "")
    before = _place(query.get("before", ""))
    return FeedQuery(
        range=asked if asked in RANGES else _USUAL,
        event=_plain(query.get("event", "")),
        resource=_plain(query.get("resource", "")),
        before=before,
        after=None if before else _place(query.get("after", "")),
    )


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:_LONGEST]


def _text(place: Place | None) -> str:
    return "" if place is None else f"{place.occurred}.{place.key}"


def _place(text: str) -> Place | None:
    occurred, _, key = text.partition(".")
    whole = all(part.isascii() and part.isdigit() and len(part) < 18 for part in (occurred, key))
    return Place(int(occurred), int(key)) if whole else None
