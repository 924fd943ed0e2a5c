"""The query of a list that is sorted by name: what is searched for, and where the page is cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

_WORDS = ("name", "tags", "after", "before")
_LONGEST = 200


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.  Names are unique in such a list, so that one says where it is cut."""

    base: str
    """Where the list is."""
    name: str = ""
    tags: str = ""
    after: str = ""
    before: str = ""

    @property
    def backwards(self) -> bool:
        """Whether the part right before a name is meant."""
        return bool(self.before)

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

    def turns(self, names: list[str], *, more: bool) -> dict[str, str | None]:
        """Where the parts before and behind one with these names are."""
        if not names:
            return {"previous_path": None, "next_path": None}
        cut = bool(self.after or self.before)
        return {
            "previous_path": self.path(before=names[0]) if cut else None,
            "next_path": self.path(after=names[-1]) if more or self.backwards else None,
        }


def read_named_query(base: str, query: Mapping[str, str]) -> NamedQuery:
    """Read a query; what makes no sense is left out."""
    given = {word: query.get(word, "").replace("\0", "").strip()[:_LONGEST] for word in _WORDS}
    if given["after"]:
        given["before"] = ""
    return NamedQuery(base=base, **given)


def holds(text: str) -> str:
    """A pattern for what holds a text, in which nothing stands for anything else."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
