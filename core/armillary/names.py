"""Names: the ones runs are given by chance, and the rules for those that people choose."""

from __future__ import annotations

import random
import re

from armillary.errors import Invalid
from armillary.words import ADJECTIVES, NOUNS

_FORBIDDEN = re.compile(r"[/%&><]")
_KEY = re.compile(r"[a-z0-9-]*", re.ASCII)


def slug(chance: random.Random) -> str:
    """Two friendly words by chance, for a run nobody has named: ``mellow-heron``."""
    return f"{chance.choice(ADJECTIVES)}-{chance.choice(NOUNS)}"


def require_name(name: str, thing: str, *, member: str = "name") -> None:
    """Raise Invalid for a name that could not stand in an address.

    ``thing`` says in the message what would have had the name, a flow or a work pool.
    """
    if not name:
        raise Invalid(f"The {thing}'s {member} is empty; give it one.", loc=("body", member))
    found = _FORBIDDEN.search(name)
    if found:
        raise Invalid(
            f"The {thing}'s {member} {name!r} contains {found.group()!r}; "
            "leave out the characters / % & > <.",
            loc=("body", member),
        )


def require_key(key: str, thing: str, *, member: str = "key") -> None:
    """Raise Invalid for a key with anything but lower-case letters, digits and dashes."""
    if not _KEY.fullmatch(key):
        raise Invalid(
            f"The {thing}'s {member} {key!r} may only contain lower-case letters, digits and "
            "dashes (a-z, 0-9, -).",
            loc=("body", member),
        )
