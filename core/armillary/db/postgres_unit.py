"""A unit of work on PostgreSQL: what it writes travels together, in as few trips as can be.

::

    many(insert a) ─ many(update b) ─ … ─▶ kept ─┬─▶ with w0 as (insert a …), w1 as (update b …) …
                                                 │            one statement, one trip
         a read, a single statement, the end ────┘  whatever has to see them

Statements that are kept together see the database as it was before all of them, so two about one
table never are, and none that looks anything up by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from armillary.db.dialect import Dialect, over_arrays
from armillary.db.unit import OUTBOX_INSERT, Row, Unit, outbox_rows

_TARGET = re.compile(r"\s*(?:insert\s+into|update)\s+(\w+)", re.IGNORECASE)
_LOOKS_UP = re.compile(r"\b(?:select|from)\b", re.IGNORECASE)
_ARGUMENT = re.compile(r"\$(\d+)")


class _Written(msgspec.Struct, frozen=True):
    """A statement for one row as one for many; without a text where it cannot be that."""

    text: str | None
    table: str | None
    """What it writes, if it may be kept together with others."""


_WRITTEN: dict[str, _Written] = {}
"""By the statement for one row; the texts are as few as our statements."""


class PostgresUnit(Unit):
    """A unit on a connection that is in a transaction."""

    dialect = Dialect.POSTGRES

    def __init__(self, connection: Any, workspace: int | None, micros: int) -> None:
        super().__init__(workspace, micros)
        self._connection = connection
        self._kept: dict[str, tuple[str, list[list[object]]]] = {}

    async def one(self, sql: str, *args: object) -> Row | None:
        """Return the first row, or None."""
        await self._send()
        return await self._connection.fetchrow(Dialect.POSTGRES.sql(sql), *args)  # type: ignore[no-any-return]

    async def all(self, sql: str, *args: object) -> Sequence[Row]:
        """Return every row."""
        await self._send()
        return await self._connection.fetch(Dialect.POSTGRES.sql(sql), *args)  # type: ignore[no-any-return]

    async def run(self, sql: str, *args: object) -> int:
        """Execute a statement; return how many rows it touched."""
        await self._send()
        tag = await self._connection.execute(Dialect.POSTGRES.sql(sql), *args)
        last = tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement once for each row of arguments, sooner or later in this unit.

        Rows travel as one array for each argument, where the statement allows that.
        """
        every = rows if isinstance(rows, (list, tuple)) else list(rows)
        if not every:
            return
        written = await self._over_arrays(sql)
        if written.text is None:
            await self._send()
            await self._connection.executemany(Dialect.POSTGRES.sql(sql), every)
            return
        arrays = list(map(list, zip(*every, strict=True)))
        if written.table is None or written.table in self._kept:
            await self._send()
        if written.table is None:
            await self._connection.execute(written.text, *arrays)
        else:
            self._kept[written.table] = (written.text, arrays)

    async def for_each(self, sql: str, ids: Sequence[str]) -> Sequence[Row]:
        """Look all ids up with one statement."""
        await self._send()
        text = Dialect.POSTGRES.sql(sql.replace("{one}", "= any(?::text[])"))
        return await self._connection.fetch(text, list(ids))  # type: ignore[no-any-return]

    async def flush(self) -> None:
        """Write the outbox rows and whatever is kept; the last statement before the commit."""
        if self.emitted:
            await self.many(OUTBOX_INSERT, outbox_rows(self.emitted))
        await self._send()

    async def _send(self) -> None:
        if self._kept:
            kept = list(self._kept.values())
            self._kept.clear()
            arguments = [array for _, arrays in kept for array in arrays]
            await self._connection.execute(together(tuple(text for text, _ in kept)), *arguments)

    async def _over_arrays(self, sql: str) -> _Written:
        found = _WRITTEN.get(sql)
        if found is None:
            text = Dialect.POSTGRES.sql(sql)
            statement = await self._connection.prepare(text)
            types = [each.name for each in statement.get_parameters()]
            found = _WRITTEN[sql] = _Written(over_arrays(text, types), _alone_about(text))
        return found


def _alone_about(text: str) -> str | None:
    target = _TARGET.match(text)
    return None if target is None or _LOOKS_UP.search(text) else target[1].lower()


@lru_cache(maxsize=256)
def together(texts: tuple[str, ...]) -> str:
    """Make one statement of several that write, with the arguments of all in their order."""
    if len(texts) == 1:
        return texts[0]
    parts: list[str] = []
    offset = 0
    for place, text in enumerate(texts):
        numbers = [int(number) for number in _ARGUMENT.findall(text)]
        moved = _ARGUMENT.sub(lambda found, by=offset: f"${int(found[1]) + by}", text)  # type: ignore[misc]
        parts.append(f"w{place} as ({moved})")
        offset += max(numbers)
    return f"with {', '.join(parts)} select 1"
