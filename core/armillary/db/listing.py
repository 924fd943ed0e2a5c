"""Statements that list a part of a table in an order.

The inner statement finds the ids in order, the outer one fetches the rows: a sort then carries
ids only, and nothing that the outer statement joins can multiply or reorder them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.db.filters import Condition, every
from armillary.db.unit import Reader, Row


class Order(msgspec.Struct, frozen=True):
    """What a list is sorted by: an expression in terms of the table's alias, ids break ties.

    What is ``leading`` has the same value in all that is found, and precedes the key in an index.
    """

    key: str
    descending: bool
    nulls_last: bool = False
    leading: str = ""

    @property
    def direction(self) -> str:
        """The word for it."""
        return "desc" if self.descending else "asc"

    def by(self, key: str, tie: str | None) -> str:
        """Write the order for these expressions; None where the key is never the same twice."""
        nulls = " nulls last" if self.nulls_last else ""
        last = f", {tie} {self.direction}" if tie else ""
        return f"{key} {self.direction}{nulls}{last}"


class Span(msgspec.Struct, frozen=True):
    """Which part of a list."""

    limit: int
    offset: int = 0

    @property
    def from_start(self) -> Span:
        """The part that begins at the beginning and ends where this one does."""
        return Span(self.limit + self.offset)


class Shape(msgspec.Struct, frozen=True):
    """What a list shows: a table, its alias, what is joined to it, and columns of all these."""

    table: str
    alias: str
    columns: str
    joins: str = ""


def inner(shape: Shape, where: Condition, order: Order, span: Span) -> Condition:
    """Find ids and sort keys: columns ``id`` and ``key``."""
    own_id = f"{shape.alias}.id"
    tie = None if order.key == own_id else own_id
    first = f"{order.leading} {order.direction}, " if order.leading else ""
    return Condition(
        f"select {own_id} as id, {order.key} as key from {shape.table} {shape.alias}"
        f" where {where.sql} order by {first}{order.by(order.key, tie)} limit ? offset ?",
        (*where.args, span.limit, span.offset),
    )


async def listed(
    reader: Reader, shape: Shape, where: Condition, order: Order, span: Span
) -> Sequence[Row]:
    """Read a part of a table in an order; nothing is asked for a part without rows."""
    if span.limit == 0:
        return []
    ids = inner(shape, where, order, span)
    return await reader.all(outer(ids, shape, order), *ids.args)


async def counted(reader: Reader, shape: Shape, where: Condition) -> int:
    """Count the rows of a table that meet a condition."""
    sql = f"select count(*) from {shape.table} {shape.alias} where {where.sql}"
    rows = await reader.all(sql, *where.args)
    return int(rows[0][0])


def merged(
    parts: Sequence[Condition], order: Order, span: Span, *, distinct: bool = False
) -> Condition:
    """Merge limited lists into one."""
    word = " union " if distinct else " union all "
    union = word.join(f"select * from ({part.sql}) part{n}" for n, part in enumerate(parts))
    return Condition(
        f"select id, key from ({union}) every_part order by {order.by('key', 'id')}"
        " limit ? offset ?",
        (*(arg for part in parts for arg in part.args), span.limit, span.offset),
    )


def by_value(
    shape: Shape, where: Condition, heads: Sequence[Condition], *, order: Order, span: Span
) -> Condition:
    """Merge one short list per condition in ``heads``, of which a row meets one.

    A list over several would be sorted whole: each head is where an index begins, and the order
    what it has next.
    """
    part = span if len(heads) == 1 else span.from_start
    parts = [inner(shape, every([where, head]), order, part) for head in heads]
    return parts[0] if len(parts) == 1 else merged(parts, order, span)


def only(column: str, value: str) -> Condition:
    """Require a value so that no index without the column has an order that it is leading.

    Of what is written as equal a planner knows that it sorts nothing.  It may then walk an index of
    the order alone, in the hope to come upon the value soon.  No search ends in such an index where
    the order does: what bounds that is better required beside an equal value.
    """
    return Condition(f"{column} between ? and ?", (value, value))


def outer(ids: Condition, shape: Shape, order: Order) -> str:
    """Fetch the rows of the ids found, in their order."""
    return (
        f"select {shape.columns} from ({ids.sql}) k"
        f" cross join {shape.table} {shape.alias} {shape.joins}"
        f" where {shape.alias}.id = k.id order by {order.by('k.key', 'k.id')}"
    )
