"""The only file that asks which database it is.

SQL is written once, with ``?`` for arguments and these tokens:

==================  =========================================  ==============================
token               SQLite                                     PostgreSQL
==================  =========================================  ==============================
``{ilike}``         ``like`` (ignores case of ASCII)           ``ilike``
``{for_update}``    nothing: inside the writer is the lock     ``for update``
``{lock_r}``        nothing                                    ``for update of r``
``{skip_locked}``   nothing                                    ``for update skip locked``
``{key}``           ``text``                                   ``text collate "C"``
``{serial}``        ``integer primary key autoincrement``      ``bigint generated always as
                                                               identity primary key``
``{clustered}``     ``without rowid``                          nothing
``{posting}``       ``false``: such an index would be as wide  ``true``: an index has equal keys
                    as others, and is left empty               once, with a list of their rows
``{on_postgres}``   ``--``: a statement of one line is none    nothing
``{transaction}``   ``0``                                      the number of this transaction
``{settled}``       ``true``                                   rows of ended transactions only
``{past}``          rows of the outbox behind a place           the same; tx is 0 on SQLite
                    (tx, id), its two arguments
``{passed}``        rows up to a place                          the same
``{by_arrival}``    ``id``                                     ``tx, id``
``{in_list}``       ``in (select value from json_each(?))``    ``in (select
                                                               json_array_elements_text(?))``
``{each}``          ``json_each(?)``                           rows ``value`` of a JSON array
``{elements}``      ``json_each``                              ``json_array_elements_text``
``{itself}``        its name with version, and its bytes       the same
``{json}``          nothing                                    ``::json``, behind a text
``{no_index}``      ``+``, before a column that shall not      nothing: it has statistics
                    lead to an index
``{members}``       ``json_each``                              ``json_each_text``: rows of
                                                               ``key``, ``value``
``{glob}``          ``glob``                                   ``like``; the pattern comes from
                                                               :meth:`Dialect.wildcards`
==================  =========================================  ==============================
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from functools import lru_cache

_TOKENS = {
    "ilike": ("like", "ilike"),
    "for_update": ("", "for update"),
    "lock_r": ("", "for update of r"),
    "skip_locked": ("", "for update skip locked"),
    "key": ("text", 'text collate "C"'),
    "serial": (
        "integer primary key autoincrement",
        "bigint generated always as identity primary key",
    ),
    "clustered": ("without rowid", ""),
    "posting": ("false", "true"),
    "on_postgres": ("--", ""),
    "transaction": ("0", "pg_current_xact_id()::text::bigint"),
    "settled": ("true", "tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
    "past": ("id > ? + ?", "tx > 0 and (tx, id) > (?, ?)"),
    "passed": ("id <= ? + ?", "tx > 0 and (tx, id) <= (?, ?)"),
    "by_arrival": ("id", "tx, id"),
    "by_arrival_backwards": ("id desc", "tx desc, id desc"),
    "in_list": (
        "in (select value from json_each(?))",
        "in (select json_array_elements_text(cast(? as json)))",
    ),
    "each": (
        "json_each(?)",
        "json_array_elements_text(cast(? as json)) as each(value)",
    ),
    "elements": ("json_each", "json_array_elements_text"),
    "itself": (
        (
            "'SQLite ' || sqlite_version(), "
            "(select page_count * page_size from pragma_page_count, pragma_page_size)"
        ),
        "'PostgreSQL ' || current_setting('server_version'), pg_database_size(current_database())",
    ),
    "json": ("", "::json"),
    "no_index": ("+", ""),
    "members": ("json_each", "json_each_text"),
    "glob": ("glob", "like"),
}
_MIGRATION_LOCK = "select pg_advisory_xact_lock(4200420042)"
_LIKE = str.maketrans({"*": "%", "?": "_", "\\": "\\\\", "%": "\\%", "_": "\\_"})
_TOKEN = re.compile(r"\{(\w+)\}")
_LITERAL = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/)""", re.DOTALL)
"""What is taken by the letter: quoted text, quoted names, comments."""
_STATEMENTS = 2048
"""Texts kept in either dialect.  Ours are fewer; those made for a filter vary with its shape."""


class Dialect(enum.Enum):
    """Which database, as far as SQL text differs."""

    SQLITE = 0
    POSTGRES = 1

    def sql(self, text: str) -> str:
        """Return the statement as this database takes it; cached by text."""
        return _sqlite(text) if self is Dialect.SQLITE else _postgres(text)

    def wildcards(self, text: str) -> str:
        """Shape a pattern of ``*`` and ``?``, else taken by the letter, for ``{glob}``."""
        if self is Dialect.SQLITE:
            return text.replace("[", "[[]")
        return text.translate(_LIKE)

    @property
    def migration_lock(self) -> str | None:
        """The statement that lets one process migrate at a time; None where a unit does that."""
        return None if self is Dialect.SQLITE else _MIGRATION_LOCK

    def json_has(self, column: str) -> str:
        """Return a condition with one argument: the JSON array in ``column`` holds that text."""
        if self is Dialect.SQLITE:
            return f"exists (select 1 from json_each({column}) where value = ?)"
        return f"exists (select 1 from json_array_elements_text({column}::json) v where v = ?)"


def _expanded(text: str, side: int) -> list[str]:
    """Put in the tokens; every second part, from the second on, is to be taken by the letter."""
    parts = _LITERAL.split(text)
    parts[::2] = [_TOKEN.sub(lambda found: _TOKENS[found[1]][side], part) for part in parts[::2]]
    return parts


@lru_cache(maxsize=_STATEMENTS)
def _sqlite(text: str) -> str:
    return "".join(_expanded(text, 0))


@lru_cache(maxsize=_STATEMENTS)
def _postgres(text: str) -> str:
    """Number the placeholders; a ``?`` inside a literal or a comment stays."""
    parts = _expanded(text, 1)
    number = 0

    def numbered(_: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return f"${number}"

    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"\?", numbered, parts[index])
    return "".join(parts)


_VALUES = re.compile(r"\bvalues\s*\(((?:[^()]|\([^()]*\))*)\)", re.IGNORECASE)
_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
_FROM = re.compile(r"\bfrom\b", re.IGNORECASE)


def over_arrays(text: str, types: Sequence[str]) -> str | None:
    """Turn a PostgreSQL statement for one row into one for many, each argument an array.

    ``insert … values ($1, …)`` and ``update … set … where …`` are turned; anything else gives
    None, also an insert that updates, for that may meet a row once only.  ``types`` are the
    types of the arguments, as the server names them.
    """
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types, 1))
    start = text.lstrip()[:6].lower()
    if start == "insert":
        return _insert_over(text, arrays)
    if start == "update":
        columns = ", ".join(f"c{n}" for n in range(1, len(types) + 1))
        if len(_WHERE.findall(text)) != 1 or _FROM.search(text):
            return None
        return _WHERE.sub(f"from unnest({arrays}) as d({columns}) where", _named(text))
    return None


def _insert_over(text: str, arrays: str) -> str | None:
    found = _VALUES.search(text)
    if found is None or "$" in text[found.end() :] or "do update" in text.lower():
        return None
    values = _named(found[1])
    columns = ", ".join(f"c{n}" for n in range(1, arrays.count("$") + 1))
    rows = f"select {values} from unnest({arrays}) as d({columns})"
    return f"{text[: found.start()]}{rows}{text[found.end() :]}"


def _named(text: str) -> str:
    return re.sub(r"\$(\d+)", r"d.c\1", text)
