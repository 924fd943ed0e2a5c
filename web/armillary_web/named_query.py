"""The query of a list that is sorted by name: what is searched for, and where the page is cut."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from armillary_web.slices import Slice, cut

R = TypeVar("R")
_WORDS = ("name", "tags", "type", "after", "before")
_TYPED = ("name", "tags", "type")
"""What people type; a name where the list is cut is taken as it is, with blanks around it."""
_LONGEST = 1100


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    A list is cut at a place: a name, or where names are no keys, the id before it as `id:name`.
    """

    base: str
    """Where the list is."""
    name: str = ""
    tags: str = ""
    type: str = ""
    after: str = ""
    before: str = ""

    @property
    def backwards(self) -> bool:
        """Whether the part right before a name is meant."""
        return bool(self.before)

    @property
    def filtered(self) -> bool:
        """Whether anything is left out of the list."""
        return bool(self.name or self.all_tags or self.type)

    @property
    def place(self) -> tuple[str, str]:
        """The name and the id at which the list is cut; two empty texts for its beginning."""
        key, _, name = (self.before or self.after).partition(":")
        return name, key

    @property
    def first(self) -> NamedQuery:
        """The same list from its beginning."""
        return msgspec.structs.replace(self, after="", before="")

    @property
    def all_tags(self) -> list[str]:
        """Tags of which all must be there."""
        return list(dict.fromkeys(part.strip() for part in self.tags.split(",") if part.strip()))

    def path(self, prefix: str = "", **changes: Any) -> str:
        """The address of this list, or of another part of it."""
        meant = msgspec.structs.replace(self.first, **changes) if changes else self
        given = [(word, text) for word in _WORDS if (text := getattr(meant, word))]
        return f"{prefix}{self.base}?{urlencode(given)}" if given else prefix + self.base

    def turns(self, names: Sequence[str], *, more: bool) -> dict[str, str | None]:
        """Where the parts before and behind one with rows at these places are."""
        if not names:
            return {"previous_path": None, "next_path": None}
        cut = bool(self.after or self.before)
        return {
            "previous_path": self.path(before=names[0]) if cut else None,
            "next_path": self.path(after=names[-1]) if more or self.backwards else None,
        }


def read_named_query(base: str, query: Mapping[str, str]) -> NamedQuery:
    """Read a query; what makes no sense is left out."""
    given = {word: query.get(word, "").replace("\0", "") for word in _WORDS}
    given |= {word: given[word].strip()[:_LONGEST] for word in _TYPED}
    if given["after"]:
        given["before"] = ""
    return NamedQuery(base=base, **given)


async def read_part(
    query: NamedQuery, find: Callable[[NamedQuery, int], Awaitable[Sequence[R]]], *, size: int
) -> tuple[NamedQuery, Slice[R]]:
    """Find a part; right at the beginning the first one, which is full, is read instead.

    ``find`` reads at most so many rows from where the query is cut, in the query's direction.
    """
    found = cut(await find(query, size + 1), size, backwards=query.backwards)
    if query.backwards and not found.more:
        query = query.first
        found = cut(await find(query, size + 1), size)
    return query, found


def holds(text: str) -> str:
    """A pattern for what holds a text, in which nothing stands for anything else."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
