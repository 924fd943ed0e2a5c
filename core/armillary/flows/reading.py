"""Flows as answered: by id, by name, and in lists."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import Condition, every
from armillary.db.listing import Order, Shape, Span, counted, listed
from armillary.db.unit import Reader, Row
from armillary.flows.schemas import Flow

FlowSort: TypeAlias = Literal["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"]
COLUMNS = "f.id, f.created, f.updated, f.name, f.tags, f.labels"
_BY_ID = f"select {COLUMNS} from flow f where f.id = ? and f.workspace = ?"
_BY_NAME = f"select {COLUMNS} from flow f where f.workspace = ? and f.name = ?"
_SHAPE = Shape("flow", "f", COLUMNS)
_ORDERS: dict[str, Order] = {
    "CREATED_DESC": Order("f.created", descending=True),
    "UPDATED_DESC": Order("f.updated", descending=True),
    "NAME_ASC": Order("f.name", descending=False),
    "NAME_DESC": Order("f.name", descending=True),
}


def flow_from_row(row: Row) -> Flow:
    """Shape a row of :data:`COLUMNS`."""
    return Flow(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        tags=msgspec.Raw(row[4].encode()),
        labels=msgspec.Raw(row[5].encode()),
    )


async def read_flow(reader: Reader, flow_id: str) -> Flow | None:
    """Read a flow of the reader's workspace by its key."""
    row = await reader.one(_BY_ID, flow_id, reader.workspace)
    return None if row is None else flow_from_row(row)


async def find_flow(reader: Reader, name: str) -> Flow | None:
    """Read a flow of the reader's workspace by its name."""
    row = await reader.one(_BY_NAME, reader.workspace, name)
    return None if row is None else flow_from_row(row)


async def list_flows(
    reader: Reader, condition: Condition, sort: FlowSort, span: Span
) -> list[Flow]:
    """List the flows ``f`` that meet a condition."""
    rows = await listed(reader, _SHAPE, _in_workspace(reader, condition), _ORDERS[sort], span)
    return [flow_from_row(row) for row in rows]


async def count_flows(reader: Reader, condition: Condition) -> int:
    """Count the flows that meet a condition."""
    return await counted(reader, _SHAPE, _in_workspace(reader, condition))


def _in_workspace(reader: Reader, condition: Condition) -> Condition:
    return every([Condition("f.workspace = ?", (reader.workspace,)), condition])
