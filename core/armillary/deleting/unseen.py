"""A reader that does not see what is doomed, for as long as something is.

Where a statement names a table, what it finds there is narrowed.  An outer join is left as it
is: what it adds to a row that is seen is a name at most.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from armillary.db.unit import Reader, Row
from armillary.deleting.family import Family

_KEYWORDS = frozenset(
    {
        "cross", "for", "full", "group", "inner", "join", "left", "limit", "natural", "on",
        "order", "right", "union", "using", "where", "window",
    }
)  # fmt: skip


class Narrowing:
    """Statements without what is doomed."""

    def __init__(self, family: Family) -> None:
        self._family = family
        tables = sorted({each.table for each in family.belongs if not each.clears})
        self._named = re.compile(
            rf"(?<!left )\b(from|join)\s+({'|'.join(tables)})\b(?:\s+(?:as\s+)?([a-z]\w*))?"
        )
        self.sql = lru_cache(maxsize=512)(self._narrowed)

    def _narrowed(self, sql: str) -> str:
        return self._named.sub(self._replaced, sql)

    def _replaced(self, found: re.Match[str]) -> str:
        word, table, alias = found[1], found[2], found[3]
        rest = ""
        if alias is None or alias in _KEYWORDS:
            alias, rest = table, f" {alias}" if alias else ""
        doomed = self._family.doomed(table, "h")
        seen = f"(select * from {table} h where not coalesce({doomed}, false)) {alias}"
        return f"{word} {seen}{rest}"


class Unseeing(Reader):
    """Asks a reader in narrower words."""

    def __init__(self, reader: Reader, narrowing: Narrowing) -> None:
        super().__init__(reader.workspace)
        self.dialect = reader.dialect
        self._reader = reader
        self._narrowing = narrowing

    async def one(self, sql: str, *args: object) -> Row | None:
        """Return the first row, or None."""
        return await self._reader.one(self._narrowing.sql(sql), *args)

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        """Return every row."""
        return await self._reader.all(self._narrowing.sql(sql), *args)
