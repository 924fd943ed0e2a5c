"""Addresses of a log: levels, later lines, the tail."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from armillary_plugins.logs.repository import Tail
from armillary_plugins.ui.schemas import LogLevel, LogPage
from armillary_plugins.ui.shaping import log_line

_LEVELS = ((0, "All"), (20, "Info"), (30, "Warnings"), (40, "Errors"))
LEVEL, CURSOR, AFTER = "level", "log-after", "after"


class LogQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of which run are asked for; ``run`` is the path of its page."""

    run: str
    level: int = 0
    cursor: str | None = None

    def path(self, level: int, cursor: str | None = None) -> str:
        """The address of the page with a level, behind a cursor."""
        return _address(self.run, level, cursor)

    @property
    def lines_path(self) -> str:
        """The address of the lines alone."""
        return _address(f"/ui/fragments{self.run}/logs", self.level)


def _address(base: str, level: int, cursor: str | None = None) -> str:
    given: dict[str, object] = {}
    if level:
        given[LEVEL] = level
    if cursor:
        given[CURSOR] = cursor
    return f"{base}?{urlencode(given)}" if given else base


def read_log_query(run: str, query: Mapping[str, str], *, cursor: str) -> LogQuery:
    """Read a query; ``cursor`` is what the cursor is called in it."""
    level = query.get(LEVEL, "")
    return LogQuery(
        run=run,
        level=int(level) if level.isascii() and level.isdigit() and len(level) < 4 else 0,
        cursor=query.get(cursor) or None,
    )


def log_page(  # noqa: PLR0913 - all of it is shown
    query: LogQuery,
    tail: Tail,
    names: Mapping[str, str] | None,
    *,
    live: bool,
    waiting: bool,
    download_path: str | None,
) -> LogPage:
    """Put a page of a log together."""
    return LogPage(
        lines=tuple(log_line(line, names) for line in tail.lines),
        cursor=tail.cursor,
        lines_path=query.lines_path,
        live=live,
        more=tail.more,
        levels=tuple(
            LogLevel(text=text, path=query.path(level), current=level == query.level)
            for level, text in _LEVELS
        ),
        earlier_path=query.path(query.level) if query.cursor else None,
        later_path=query.path(query.level, tail.cursor) if tail.more else None,
        download_path=download_path,
        waiting=waiting,
        filtered=bool(query.level),
    )
