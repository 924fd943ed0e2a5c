"""Conditions in SQL, put together from small parts.

The text of a condition depends on its shape only: lists travel as one JSON argument, so that the
number of different statements, and with it every cache of statements, stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

_encode = msgspec.json.Encoder().encode


class Condition(msgspec.Struct, frozen=True):
    """SQL with ``?`` and its arguments."""

    sql: str
    args: tuple[object, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        """Both."""
        return every((self, other))


TRUE = Condition("true")
FALSE = Condition("false")


def every(conditions: Iterable[Condition]) -> Condition:
    """All of these; true if there are none."""
    return _joined([each for each in conditions if each != TRUE], " and ", TRUE)


def some(conditions: Iterable[Condition]) -> Condition:
    """At least one of these; true if there are none or one of them is."""
    found = list(conditions)
    return TRUE if TRUE in found else _joined(found, " or ", TRUE)


def combined(operator: str, conditions: Iterable[Condition]) -> Condition:
    """Put conditions together as ``and_`` or ``or_`` says."""
    return some(conditions) if operator == "or_" else every(conditions)


def _joined(parts: Sequence[Condition], word: str, nothing: Condition) -> Condition:
    if len(parts) < 2:
        return parts[0] if parts else nothing
    return Condition(
        "(" + word.join(part.sql for part in parts) + ")",
        tuple(arg for part in parts for arg in part.args),
    )


def json_list(values: Iterable[str]) -> str:
    """Shape a list for ``{in_list}`` and ``{each}``."""
    return _encode(list(values)).decode()


def any_of(column: str, values: Sequence[str] | None) -> list[Condition]:
    """The column is one of the values; an empty list matches nothing, None is no condition."""
    if values is None:
        return []
    if not values:
        return [FALSE]
    if len(values) == 1:
        return [Condition(f"{column} = ?", (values[0],))]
    return [Condition(f"{column} {{in_list}}", (json_list(values),))]


def none_of(column: str, values: Sequence[str] | None) -> list[Condition]:
    """The column has a value, and none of these; no values are no condition."""
    if not values:
        return []
    return [Condition(f"{column} not {{in_list}}", (json_list(values),))]


def like(column: str, text: str | None) -> list[Condition]:
    """The column contains the text in whatever case; ``%`` and ``_`` in it are wildcards."""
    if not text:
        return []
    escaped = text.replace("\\", "\\\\")
    return [Condition(f"{column} {{ilike}} ? escape '\\'", (f"%{escaped}%",))]


def starts_with(column: str, prefixes: Sequence[str] | None) -> list[Condition]:
    """The column begins with one of the prefixes in whatever case; none are no condition."""
    if not prefixes:
        return []
    return [
        Condition(
            "exists (select 1 from {each} where"
            f" lower(substr({column}, 1, length(value))) = lower(value))",
            (json_list(prefixes),),
        )
    ]


def is_null(column: str, wanted: bool | None) -> list[Condition]:  # noqa: FBT001 - as on the wire
    """The column is null, or is not."""
    if wanted is None:
        return []
    return [Condition(f"{column} is {'null' if wanted else 'not null'}")]


def equals(column: str, wanted: bool | None) -> list[Condition]:  # noqa: FBT001 - as on the wire
    """The column, which holds 0 or 1, is this."""
    return [] if wanted is None else [Condition(f"{column} = {int(wanted)}")]


def between(column: str, low: float | None, high: float | None) -> list[Condition]:
    """The column is not below and not above, both inclusive."""
    found = []
    if low is not None:
        found.append(Condition(f"{column} >= ?", (low,)))
    if high is not None:
        found.append(Condition(f"{column} <= ?", (high,)))
    return found


def exists(source: str, condition: Condition, *, wanted: bool = True) -> Condition:
    """There are rows of ``table alias where …`` that meet the condition; or there are none."""
    word = "exists" if wanted else "not exists"
    return Condition(f"{word} (select 1 from {source} and {condition.sql})", condition.args)


def among(column: str, source: str, condition: Condition) -> Condition:
    """The column is one of what ``select … from … where …`` finds under the condition."""
    return Condition(f"{column} in ({source} and {condition.sql})", condition.args)


class TagPlace(msgspec.Struct, frozen=True):
    """Where a row's tags are: a JSON column, and with ``side`` a table of them as well.

    ``side`` is ``table alias where alias.owner_id = row.id``, its column of text is ``tag``.
    """

    column: str
    side: str | None = None

    @property
    def _source(self) -> tuple[str, str]:
        if self.side is not None:
            return self.side, "tag"
        return f"{{elements}}({self.column}{{json}}) held where true", "held.value"

    def any_of(self, tags: Sequence[str] | None) -> list[Condition]:
        """At least one of the tags is among them; an empty list matches nothing."""
        if tags is None:
            return []
        source, text = self._source
        return [exists(source, every(any_of(text, tags)))] if tags else [FALSE]

    def all_of(self, tags: Sequence[str] | None) -> list[Condition]:
        """All of the tags are among them; an empty list is no condition."""
        if not tags:
            return []
        source, text = self._source
        if len(set(tags)) == 1:
            return [exists(source, Condition(f"{text} = ?", (tags[0],)))]
        held = f"select 1 from {source} and {text} = wanted.value"
        lacking = f"select 1 from {{elements}}(?{{json}}) wanted where not exists ({held})"
        return [Condition(f"not exists ({lacking})", (json_list(tags),))]

    def is_empty(self, wanted: bool | None) -> list[Condition]:  # noqa: FBT001 - as on the wire
        """There are no tags, or there are some."""
        if wanted is None:
            return []
        return [Condition(f"{self.column} {'=' if wanted else '<>'} '[]'")]
