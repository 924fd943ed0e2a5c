"""A list that is sorted by name, declared once: its page, and the same rows for programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from armillary_web.named_query import NamedQuery, read_named_query, read_part
from armillary_web.pages import Listed, Twin, twin_paths

if TYPE_CHECKING:
    from armillary.api import Call


async def _nothing(_call: Call, _query: NamedQuery) -> Mapping[str, Any]:
    return {}


def name_of(row: Any) -> str:
    """The place of a row whose name is a key."""
    return str(row.name)


def id_and_name_of(row: Any) -> str:
    """The place of a row whose name others may have too."""
    return f"{row.id}:{row.name}"


class NamedList(msgspec.Struct, frozen=True, kw_only=True):
    """How a list is found and shaped."""

    base: str
    """Where it is."""
    find: Callable[[Call, NamedQuery, int], Awaitable[Sequence[Any]]]
    """Reads at most so many from where the query is cut, in the query's direction."""
    shape: Callable[[Call, Any], msgspec.Struct]
    """Makes a row of the page of what was found."""
    page: type[msgspec.Struct]
    """Takes `rows`, `twins`, `name`, `filtered`, and the paths of the parts beside this one."""
    twin: type[msgspec.Struct]
    """What the rows for programs are."""
    twin_shape: Callable[[Call, Any], msgspec.Struct] | None = None
    """Makes one of them, where they are not the rows of the page."""
    place: Callable[[Any], str] = name_of
    """Where a row of either kind stands in the list."""
    more: Callable[[Call, NamedQuery], Awaitable[Mapping[str, Any]]] = _nothing
    """Reads what else the page takes."""
    size: int = 50

    async def read(self, call: Call) -> Listed:
        """Read the part that a page's query asks for."""
        asked = read_named_query(self.base, call.query)
        query, found = await read_part(asked, partial(self.find, call), size=self.size)
        rows = tuple(self.shape(call, each) for each in found.rows)
        page = self.page(
            rows=rows,
            twins=twin_paths(query.first.path()),
            name=query.name,
            filtered=query.filtered,
            **query.turns([self.place(row) for row in rows], more=found.more),
            **await self.more(call, query),
        )
        return Listed(page, query.path())

    async def read_twin(self, call: Call, limit: int) -> Twin:
        """Read the same for programs, at most so many rows."""
        asked = read_named_query(self.base, call.query)
        query, found = await read_part(asked, partial(self.find, call), size=limit)
        shape = self.twin_shape or self.shape
        rows = [shape(call, each) for each in found.rows]
        following = query.path(after=self.place(rows[-1])) if found.more else None
        return Twin(kind=self.twin, rows=rows, next_path=following)
