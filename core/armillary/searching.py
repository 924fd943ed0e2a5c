"""The language of text search: what people type into a search box, for events and logs alike.

Words are alternatives; ``-word`` or ``!word`` must not be there, ``+word`` must; double quotes
hold a phrase together, a backslash inside them takes the next quote or backslash as it is.
Case of ASCII letters does not count, in memory as little as in the databases.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from armillary.api import Body
from armillary.db.filters import TRUE, Condition, every, some

_TERM = re.compile(
    r'(?P<sign>[-!+]?)(?:"(?P<phrase>(?:\\.|[^"\\])*)(?:"|\\?$)|(?P<word>[^\s"]+))', re.DOTALL
)
_ESCAPED = re.compile(r'\\(["\\])')
_WILDCARD = re.compile(r"([\\%_])")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class TextFilter(Body):
    """``query``, as typed."""

    query: Annotated[str, msgspec.Meta(max_length=200)]


class Search(msgspec.Struct, frozen=True):
    """A query taken apart; terms are folded."""

    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()

    def matches(self, text: str) -> bool:
        """Tell whether a text is what is looked for."""
        folded = fold(text)
        return (
            (not self.any_of or any(term in folded for term in self.any_of))
            and all(term in folded for term in self.all_of)
            and not any(term in folded for term in self.none_of)
        )

    def on(self, text: str) -> Condition:
        """Make the same condition on an SQL expression that is never null."""
        return every(
            [
                some([_contains(text, term) for term in self.any_of]) if self.any_of else TRUE,
                *(_contains(text, term) for term in self.all_of),
                *(_contains(text, term, word="not {ilike}") for term in self.none_of),
            ]
        )


def parse(query: str) -> Search:
    """Take a query apart; whatever is typed means something."""
    terms: dict[str, list[str]] = {"": [], "-": [], "+": []}
    for found in _TERM.finditer(query):
        phrase = found["phrase"]
        term = found["word"] if phrase is None else _ESCAPED.sub(r"\1", phrase)
        if term.strip() and not (found["word"] and not found["sign"] and term in "-!+"):
            terms[found["sign"].replace("!", "-")].append(fold(term))
    return Search(tuple(terms[""]), tuple(terms["-"]), tuple(terms["+"]))


def fold(text: str) -> str:
    """Write ASCII letters small."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _contains(text: str, term: str, *, word: str = "{ilike}") -> Condition:
    escaped = _WILDCARD.sub(r"\\\1", term)
    return Condition(f"{text} {word} ? escape '\\'", (f"%{escaped}%",))
