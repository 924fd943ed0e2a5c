"""Lists of deployments."""

from __future__ import annotations

from typing import Literal, TypeAlias

from armillary.db.filters import Condition, every
from armillary.db.listing import Order, Shape, Span, inner, outer
from armillary.db.unit import Reader
from armillary.deployments.reading import COLUMNS, JOINS, shaped
from armillary.deployments.schemas import Deployment

DeploymentSort: TypeAlias = Literal["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"]
_SHAPE = Shape("deployment", "d", COLUMNS, JOINS)
_ORDERS: dict[str, Order] = {
    "CREATED_DESC": Order("d.created", descending=True),
    "UPDATED_DESC": Order("d.updated", descending=True),
    "NAME_ASC": Order("d.name", descending=False),
    "NAME_DESC": Order("d.name", descending=True),
}


async def list_deployments(
    reader: Reader, condition: Condition, sort: DeploymentSort, span: Span, *, now: int
) -> list[Deployment]:
    """List the deployments ``d`` that meet a condition."""
    if span.limit == 0:
        return []
    order = _ORDERS[sort]
    ids = inner(_SHAPE, _in_workspace(reader, condition), order, span)
    rows = await reader.all(outer(ids, _SHAPE, order), *ids.args)
    return await shaped(reader, rows, now=now)


async def count_deployments(reader: Reader, condition: Condition) -> int:
    """Count the deployments that meet a condition."""
    where = _in_workspace(reader, condition)
    rows = await reader.all(f"select count(*) from deployment d where {where.sql}", *where.args)
    return int(rows[0][0])


def _in_workspace(reader: Reader, condition: Condition) -> Condition:
    return every([Condition("d.workspace = ?", (reader.workspace,)), condition])
