"""Artifacts and collections as answered: one, lists, numbers, and those of a graph."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import Condition, every
from armillary.db.listing import Order, Shape, Span, inner, outer
from armillary.db.unit import Reader, Row
from armillary_plugins.artifacts.criteria import Selection
from armillary_plugins.artifacts.schemas import NULL, Artifact, ArtifactCollection, ArtifactSort

_REST = "a.type, a.description, a.data, a.metadata, a.flow_run_id, a.task_run_id"
COLUMNS = f"a.id, a.created, a.updated, a.key, {_REST}"
_COLLECTION = f"c.id, c.created, c.updated, c.key, c.latest_id, {_REST}"
_BY_ID = f"select {COLUMNS} from artifact a where a.id = ? and a.workspace = ?"
_LATEST = f"""
select c.id, c.created, c.updated, c.key, {_REST}
from artifact_collection c join artifact a on a.id = c.latest_id
where c.workspace = ? and c.key = ?
"""
OF_GRAPH = """
select a.id, a.created, a.key, a.type, case when a.type = 'progress' then a.data end,
  a.key is null or exists (select 1 from artifact_collection c where c.latest_id = a.id),
  a.task_run_id
from artifact a where a.workspace = ? and a.flow_run_id = ? and a.type <> 'result'
order by a.created, a.id limit ?
"""
_OF_PAGE = """
select a.id, a.created, a.key, a.type, substr(a.description, 1, 2000),
  case when length(a.data) <= ? then a.data end, a.task_run_id, t.name
from artifact a left join task_run t on t.id = a.task_run_id and t.workspace = a.workspace
where a.workspace = ? and a.flow_run_id = ? and a.type <> 'result'
order by a.created desc, a.id desc limit ?
"""
_AFTER = """
select a.id, a.workspace, a.created,
  a.flow_run_id is null or exists (select 1 from flow_run r where r.id = a.flow_run_id)
from artifact a where a.id > ? order by a.id limit ?
"""
_ARTIFACTS = Shape("artifact", "a", COLUMNS)
_FOUND = Shape("artifact a, artifact_collection", "c", "")
_PLAIN = Shape("artifact_collection", "c", "")
_COLLECTIONS = Shape(
    "artifact_collection", "c", _COLLECTION, "join artifact a on a.id = c.latest_id"
)


def _orders(alias: str) -> dict[str, Order]:
    return {
        "CREATED_DESC": Order(f"{alias}.created", descending=True),
        "UPDATED_DESC": Order(f"{alias}.updated", descending=True),
        "ID_DESC": Order(f"{alias}.id", descending=True),
        "KEY_DESC": Order(f"{alias}.key", descending=True),
        "KEY_ASC": Order(f"{alias}.key", descending=False),
    }


_ORDERS = _orders("a")
_ORDERS_OF_FEW = _orders("{no_index}a")
"""The same where few artifacts are found and sorted: no index shall be walked instead."""
_COLLECTION_ORDERS = _orders("c")


class Looked(msgspec.Struct, frozen=True):
    """An artifact that was looked at, and whether its flow run is there."""

    id: str
    workspace: int
    created: int
    has_run: bool


def artifact_from_row(row: Row) -> Artifact:
    """Shape a row of :data:`COLUMNS`."""
    return Artifact(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        key=row[3],
        type=row[4],
        description=row[5],
        data=raw(row[6]),
        metadata_=raw(row[7]),
        flow_run_id=row[8],
        task_run_id=row[9],
    )


def raw(text: str | None) -> msgspec.Raw:
    """Give stored JSON as it is."""
    return NULL if text is None else msgspec.Raw(text.encode())


def _collection(row: Row) -> ArtifactCollection:
    return ArtifactCollection(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        key=row[3],
        latest_id=row[4],
        type=row[5],
        description=row[6],
        data=raw(row[7]),
        metadata_=raw(row[8]),
        flow_run_id=row[9],
        task_run_id=row[10],
    )


async def read_artifact(reader: Reader, artifact_id: str) -> Artifact | None:
    """Read an artifact of the reader's workspace."""
    row = await reader.one(_BY_ID, artifact_id, reader.workspace)
    return None if row is None else artifact_from_row(row)


async def read_latest(reader: Reader, key: str) -> Artifact | None:
    """Read the latest artifact of a key, under the id and the times of its collection."""
    row = await reader.one(_LATEST, reader.workspace, key)
    return None if row is None else artifact_from_row(row)


async def list_artifacts(
    reader: Reader, selection: Selection, sort: ArtifactSort, span: Span
) -> list[Artifact]:
    """List artifacts."""
    if span.limit == 0:
        return []
    ids = artifact_ids(reader.workspace, selection, sort, span)
    rows = await reader.all(outer(ids, _ARTIFACTS, _ORDERS[sort]), *ids.args)
    return [artifact_from_row(row) for row in rows]


async def list_latest(
    reader: Reader, selection: Selection, sort: ArtifactSort, span: Span
) -> list[ArtifactCollection]:
    """List collections with what their latest artifacts show."""
    if span.limit == 0:
        return []
    ids = collection_ids(reader.workspace, selection, sort, span)
    rows = await reader.all(outer(ids, _COLLECTIONS, _COLLECTION_ORDERS[sort]), *ids.args)
    return [_collection(row) for row in rows]


async def count_artifacts(reader: Reader, selection: Selection) -> int:
    """Count artifacts."""
    own = Condition(f"{_plus(selection.named)}a.workspace = ?", (reader.workspace,))
    where = every([own, selection.condition])
    rows = await reader.all(f"select count(*) from artifact a where {where.sql}", *where.args)
    return int(rows[0][0])


async def count_latest(reader: Reader, selection: Selection) -> int:
    """Count collections."""
    where = _of_collections(reader.workspace, selection, walking=False)
    table = (_PLAIN if selection.plain else _FOUND).table
    rows = await reader.all(f"select count(*) from {table} c where {where.sql}", *where.args)
    return int(rows[0][0])


def artifact_ids(workspace: int, selection: Selection, sort: ArtifactSort, span: Span) -> Condition:
    """Write the statement that finds artifacts; without an index of its own it walks the ids."""
    walking = sort == "ID_DESC" and not (selection.narrow or selection.indexed)
    own = Condition(f"{_plus(walking or selection.named)}a.workspace = ?", (workspace,))
    orders = _ORDERS_OF_FEW if selection.narrow and not selection.named else _ORDERS
    return inner(_ARTIFACTS, every([own, selection.condition]), orders[sort], span)


def collection_ids(
    workspace: int, selection: Selection, sort: ArtifactSort, span: Span
) -> Condition:
    """Write the statement that finds collections, from their own side unless few are named."""
    walking = sort == "ID_DESC" and not selection.indexed
    where = _of_collections(workspace, selection, walking=walking)
    shape = _PLAIN if selection.plain else _FOUND
    return inner(shape, where, _COLLECTION_ORDERS[sort], span)


def _of_collections(workspace: int, selection: Selection, *, walking: bool) -> Condition:
    parts = [Condition(f"{_plus(walking or selection.narrow)}c.workspace = ?", (workspace,))]
    if not selection.plain:
        plus = _plus(selection.named or not selection.narrow)
        parts.append(Condition(f"a.id = c.latest_id and {plus}a.workspace = ?", (workspace,)))
    return every([*parts, selection.condition])


def _plus(walking: bool) -> str:  # noqa: FBT001 - one word for all who call it
    return "{no_index}" if walking else ""


async def graph_artifacts(reader: Reader, flow_run_id: str, *, limit: int) -> Sequence[Row]:
    """List what a graph shows of a flow run's artifacts, oldest first."""
    return await reader.all(OF_GRAPH, reader.workspace, flow_run_id, limit)


async def page_artifacts(
    reader: Reader, flow_run_id: str, *, limit: int, longest: int
) -> Sequence[Row]:
    """List what a page shows of a flow run's artifacts, newest first; long data is left out."""
    return await reader.all(_OF_PAGE, longest, reader.workspace, flow_run_id, limit)


async def look_at(reader: Reader, *, after: str, limit: int) -> list[Looked]:
    """Look at artifacts of all workspaces by their ids."""
    rows = await reader.all(_AFTER, after, limit)
    return [Looked(row[0], row[1], row[2], bool(row[3])) for row in rows]
