"""Every query on flow runs that is neither a decision about a state nor a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from armillary.clock import from_micros
from armillary.db.unit import Reader, Row, Unit
from armillary.errors import Conflict, NotFound

_encode = msgspec.json.Encoder().encode
_labels = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class FlowRunInput(msgspec.Struct, frozen=True, kw_only=True):
    """A value stored with a run under a key, as answered."""

    id: str
    created: object
    updated: object
    flow_run_id: str
    key: str
    value: str
    sender: str | None


class QueuePlace(msgspec.Struct, frozen=True):
    """The queue a name in a pool stands for."""

    queue_id: str
    queue_name: str


_EXISTS = "select 1 from flow_run where id = ? and workspace = ?"
_FIELDS = (
    "name", "flow_version", "parameters", "empirical_policy", "retry_type", "tags",
    "infrastructure_pid", "job_variables",
)  # fmt: skip
_DELETE_TAGS = "delete from flow_run_tag where flow_run_id = ?"
_INSERT_TAG = """
insert into flow_run_tag
  (workspace, tag, expected_start_time, flow_run_id, state_type, state_name, started)
select workspace, ?, expected_start_time, id, state_type, state_name,
  coalesce(start_time, expected_start_time)
from flow_run where id = ?
"""
_SET_LABELS = "update flow_run set labels = ?, updated = ? where id = ?"
_INPUT_COLUMNS = "id, created, updated, flow_run_id, key, value, sender"
_INSERT_INPUT = f"""
insert into flow_run_input ({_INPUT_COLUMNS}, workspace) values (?, ?, ?, ?, ?, ?, ?, ?)
"""
_LIST_INPUTS = f"""
select {_INPUT_COLUMNS} from flow_run_input
where workspace = ? and flow_run_id = ? and substr(key, 1, ?) = ? and not key {{in_list}}
order by created, id limit ?
"""


async def exists(reader: Reader, run_id: str) -> bool:
    """Tell whether the workspace has this run."""
    return await reader.one(_EXISTS, run_id, reader.workspace) is not None


async def require(reader: Reader, run_id: str) -> None:
    """Raise NotFound unless the workspace has this run."""
    if not await exists(reader, run_id):
        message = "Flow run not found"
        raise NotFound(message)


async def update(unit: Unit, run_id: str, changes: Mapping[str, object]) -> None:
    """Write the given columns, shaped for the database; tags are a sequence of text.

    Raises NotFound for a run the workspace does not have.
    """
    await require(unit, run_id)
    tags = changes.get("tags")
    columns = {name: value for name, value in changes.items() if name in _FIELDS}
    if isinstance(tags, Sequence):
        columns["tags"] = _encode(list(tags)).decode()
        await unit.run(_DELETE_TAGS, run_id)
        await unit.many(_INSERT_TAG, [(tag, run_id) for tag in dict.fromkeys(tags)])
    assignments = ", ".join(f"{name} = ?" for name in ("updated", *columns))
    await unit.run(
        f"update flow_run set {assignments} where id = ?",
        unit.micros,
        *columns.values(),
        run_id,
    )


async def merge_labels(unit: Unit, run_id: str, labels: Mapping[str, msgspec.Raw]) -> bool:
    """Lay labels over the stored ones; False if there is no such run."""
    row = await unit.one(
        "select labels from flow_run where id = ? and workspace = ? {for_update}",
        run_id,
        unit.workspace,
    )
    if row is None:
        return False
    merged = {**_labels(row[0]), **labels}
    await unit.run(_SET_LABELS, _encode(merged).decode(), unit.micros, run_id)
    return True


async def add_input(  # noqa: PLR0913 - the columns
    unit: Unit, *, new_id: str, run_id: str, key: str, value: str, sender: str | None
) -> None:
    """Store an input; NotFound without the run, Conflict if the key is taken."""
    await require(unit, run_id)
    taken = await unit.one(
        "select 1 from flow_run_input where flow_run_id = ? and key = ?", run_id, key
    )
    if taken is not None:
        message = "A flow run input with this key already exists."
        raise Conflict(message)
    now = unit.micros
    await unit.run(_INSERT_INPUT, new_id, now, now, run_id, key, value, sender, unit.workspace)


async def list_inputs(
    reader: Reader, run_id: str, *, prefix: str, limit: int, without: Iterable[str]
) -> list[FlowRunInput]:
    """List inputs whose key begins with ``prefix``, oldest first."""
    rows = await reader.all(
        _LIST_INPUTS,
        reader.workspace,
        run_id,
        len(prefix),
        prefix,
        _encode(list(without)).decode(),
        limit,
    )
    return [_input(row) for row in rows]


async def read_input(reader: Reader, run_id: str, key: str) -> str | None:
    """Return an input's value."""
    return await reader.value(  # type: ignore[no-any-return]
        "select value from flow_run_input where workspace = ? and flow_run_id = ? and key = ?",
        reader.workspace,
        run_id,
        key,
    )


async def delete_input(unit: Unit, run_id: str, key: str) -> bool:
    """Delete an input; False if it was not there."""
    touched = await unit.run(
        "delete from flow_run_input where workspace = ? and flow_run_id = ? and key = ?",
        unit.workspace,
        run_id,
        key,
    )
    return touched > 0


async def find_queue(reader: Reader, pool: str, queue: str | None) -> QueuePlace | None:
    """Find a pool's queue by name, or its default queue."""
    row = await reader.one(
        """select q.id, q.name from work_pool p join work_queue q on q.work_pool_id = p.id
        where p.workspace = ? and p.name = ?
          and (q.name = ? or (? = 1 and q.id = p.default_queue_id))
        """,
        reader.workspace,
        pool,
        queue or "",
        0 if queue else 1,
    )
    return None if row is None else QueuePlace(row[0], row[1])


def _input(row: Row) -> FlowRunInput:
    return FlowRunInput(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        flow_run_id=row[3],
        key=row[4],
        value=row[5],
        sender=row[6],
    )
