"""Every query on log lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import cache

import msgspec

from armillary.clock import from_micros
from armillary.db.filters import TRUE, Condition, json_list
from armillary.db.operation import Operation
from armillary.db.unit import Reader, Row, Unit
from armillary_plugins.logs import cursors
from armillary_plugins.logs.cursors import Cursor
from armillary_plugins.logs.identity import log_id
from armillary_plugins.logs.ingest import Batch
from armillary_plugins.logs.schemas import Log, LogFilter, LogSort

_TOGETHER = 100
"""Rows of one statement: its text must not have too many shapes, nor too many arguments."""
_WIDTH = 8
_COLUMNS = "key, created, name, level, message, timestamp, flow_run_id, task_run_id"
_LOWEST = -(2**31)
_OF_RUN = "from log where workspace = ? and flow_run_id = ? and level >= ?"
_OF_TASK_RUN = "from log where workspace = ? and task_run_id = ? and level >= ?"
_LATER = "(timestamp, key) > (?, ?) and key <= ? order by timestamp, key limit ?"
_SINCE = "timestamp >= ? and key > ? order by key limit ?"
_PAGE = f"select {_COLUMNS} {_OF_RUN} and {_LATER}"
_ARRIVED = f"select {_COLUMNS} {_OF_RUN} and {_SINCE}"
_TASK_PAGE = f"select {_COLUMNS} {_OF_TASK_RUN} and {_LATER}"
_TASK_ARRIVED = f"select {_COLUMNS} {_OF_TASK_RUN} and {_SINCE}"
_FIRST = f"select {_COLUMNS} {_OF_RUN} order by timestamp, key limit 1"
_LAST = f"select {_COLUMNS} {_OF_RUN} order by timestamp desc, key desc limit 1"
_AROUND = f"""
select {_COLUMNS} from (select {_COLUMNS} {_OF_RUN} and (timestamp, key) < (?, ?)
    order by timestamp desc, key desc limit ?) earlier
union all
select {_COLUMNS} from (select {_COLUMNS} {_OF_RUN} and (timestamp, key) > (?, ?)
    order by timestamp, key limit ?) later
"""
_WARNING, _ERROR = 30, 40
_NEWEST = "select coalesce(max(key), 0) from log"
_RUN_NAME = "select name from flow_run where id = ? and workspace = ?"
_NOTABLE = """
select flow_run_id, sum(case when level >= 40 then 0 else 1 end),
    sum(case when level >= 40 then 1 else 0 end)
from log where workspace = ? and flow_run_id {in_list} and level >= 30 group by flow_run_id
"""
_DELETE = """
delete from log where key in
    (select key from log where workspace = ? and flow_run_id = ? order by timestamp, key limit ?)
"""
_WORKSPACES = "select key from workspace order by key"
_RUNS = """
with recursive run (id, place) as (
    select (select min(flow_run_id) from log where workspace = ? and flow_run_id > ?), 1
    union all
    select (select min(flow_run_id) from log where workspace = ? and flow_run_id > run.id),
        place + 1
    from run where run.id is not null and place < ?
)
select run.id, exists (select 1 from flow_run r where r.id = run.id and r.workspace = ?),
    (select max(timestamp) from log where workspace = ? and flow_run_id = run.id)
from run where run.id is not null order by run.id
"""


class Notable(msgspec.Struct, frozen=True):
    """How many lines of a run are warnings, and how many are worse."""

    warnings: int
    errors: int


class Tail(msgspec.Struct, frozen=True):
    """Lines, and the cursor to ask for those that come after."""

    lines: list[Log]
    cursor: str
    more: bool
    """There are further lines right now."""


class LoggedRun(msgspec.Struct, frozen=True):
    """A flow run that has lines."""

    id: str
    exists: bool
    last: int
    """The time of its last line."""


class InsertLogs(Operation[Batch, None]):
    """Inserts the lines of all requests that wait."""

    async def execute(self, unit: Unit, requests: Sequence[Batch]) -> Sequence[None]:
        """Insert rows, as many in a statement as go."""
        rows = [row for batch in requests for row in batch.rows]
        for start in range(0, len(rows), _TOGETHER):
            some = rows[start : start + _TOGETHER]
            await unit.run(_insert(len(some)), *(value for row in some for value in row))
        return [None] * len(requests)


INSERT_LOGS = InsertLogs()


@cache
def _insert(count: int) -> str:
    one = f"({', '.join('?' * _WIDTH)})"
    return (
        "insert into log"
        " (workspace, created, timestamp, level, name, message, flow_run_id, task_run_id)"
        f" values {', '.join([one] * count)}"
    )


async def filter_logs(
    reader: Reader, logs: LogFilter | None, *, sort: LogSort, limit: int, offset: int
) -> list[Log]:
    """List the lines that a filter lets through."""
    where: Condition = logs.on() if logs is not None else TRUE
    way = "desc" if sort == "TIMESTAMP_DESC" else "asc"
    time = "timestamp" if logs is None or not logs.names_runs else "+timestamp"
    rows = await reader.all(
        f"select {_COLUMNS} from log where workspace = ? and {where.sql}"
        f" order by {time} {way}, key {way} limit ? offset ?",
        reader.workspace,
        *where.args,
        limit,
        offset,
    )
    return [_log(row) for row in rows]


async def tail(  # noqa: PLR0913 - which lines, from where, how many
    reader: Reader,
    run_id: str,
    *,
    after: str | None,
    level: int | None,
    limit: int,
    of_task_run: bool = False,
) -> Tail:
    """Return lines of a run after a cursor, oldest first; later those that came since.

    Lines come from several processes, so a line may arrive after younger ones: what was there at
    the first call is given by time, what comes after that as it arrives.
    """
    place = cursors.read(after) or Cursor(newest=await reader.value(_NEWEST))
    arguments = (reader.workspace, run_id, _LOWEST if level is None else level)
    page, arrived = (_TASK_PAGE, _TASK_ARRIVED) if of_task_run else (_PAGE, _ARRIVED)
    if place.paging:
        rows = await reader.all(page, *arguments, place.timestamp, place.key, place.newest, limit)
    else:
        rows = await reader.all(arrived, *arguments, place.since, place.newest, limit)
    more = len(rows) == limit
    last = (rows[-1][5], rows[-1][0]) if rows else None
    return Tail([_log(row) for row in rows], cursors.written(place.after(last, more=more)), more)


class Around(msgspec.Struct, frozen=True):
    """Lines around one of them."""

    lines: list[Log]
    line_id: str
    is_error: bool


async def around_trouble(
    reader: Reader, flow_run_id: str, *, failed: bool, before: int, after: int
) -> Around | None:
    """Return the first error a flow run logged with the lines around it.

    Of one that failed without logging any, it is its last warning, or else its last line: plain
    commands know no levels.
    """
    of_run = (reader.workspace, flow_run_id)
    rows = await reader.all(_FIRST, *of_run, _ERROR)
    for level in (_WARNING, _LOWEST) if failed else ():
        rows = rows or await reader.all(_LAST, *of_run, level)
    if not rows:
        return None
    line = rows[0]
    place = (line[5], line[0])
    around = await reader.all(
        _AROUND, *of_run, _LOWEST, *place, before, *of_run, _LOWEST, *place, after
    )
    lines = sorted([line, *around], key=lambda row: (row[5], row[0]))
    return Around([_log(row) for row in lines], log_id(line[1], line[0]), line[3] >= _ERROR)


async def newest_key(reader: Reader) -> int:
    """Return the key of the line that arrived last."""
    return int(await reader.value(_NEWEST))


async def arrived(
    reader: Reader, logs: LogFilter, *, after: int, limit: int
) -> tuple[list[Log], int]:
    """List the lines a filter lets through of those behind a key, as they arrived.

    What is returned besides is the key to go on from: lines that no filter lets through are not
    looked at twice.
    """
    newest = await newest_key(reader)
    where = logs.on()
    rows = await reader.all(
        f"select {_COLUMNS} from log where key > ? and key <= ? and workspace = ? and {where.sql}"
        " order by key limit ?",
        after,
        newest,
        reader.workspace,
        *where.args,
        limit,
    )
    return [_log(row) for row in rows], rows[-1][0] if len(rows) == limit else max(after, newest)


async def each_page(reader: Reader, flow_run_id: str, *, size: int) -> AsyncIterator[list[Log]]:
    """Go through the lines a run has now, by time, holding one page of them."""
    newest = await reader.value(_NEWEST)
    timestamp, key = cursors.BEFORE
    while True:
        rows = await reader.all(
            _PAGE, reader.workspace, flow_run_id, _LOWEST, timestamp, key, newest, size
        )
        if rows:
            yield [_log(row) for row in rows]
            timestamp, key = rows[-1][5], rows[-1][0]
        if len(rows) < size:
            return


async def flow_run_name(reader: Reader, flow_run_id: str) -> str | None:
    """Return the name of a flow run of the workspace."""
    return await reader.value(_RUN_NAME, flow_run_id, reader.workspace)  # type: ignore[no-any-return]


async def count_notable(reader: Reader, flow_run_ids: Sequence[str]) -> dict[str, Notable]:
    """Count warnings and errors of runs; those that have none are left out."""
    rows = await reader.all(_NOTABLE, reader.workspace, json_list(flow_run_ids))
    return {row[0]: Notable(warnings=row[1], errors=row[2]) for row in rows}


async def delete_for_flow_run(unit: Unit, flow_run_id: str, *, limit: int) -> int:
    """Delete up to ``limit`` lines of a run; return how many."""
    return await unit.run(_DELETE, unit.workspace, flow_run_id, limit)


async def workspaces(reader: Reader) -> list[int]:
    """Return the keys of all workspaces."""
    return [row[0] for row in await reader.all(_WORKSPACES)]


async def runs_with_logs(reader: Reader, *, after: str, limit: int) -> list[LoggedRun]:
    """List flow runs that have lines, by id, whether or not they still exist."""
    key = reader.workspace
    rows = await reader.all(_RUNS, key, after, key, limit, key, key)
    return [LoggedRun(row[0], bool(row[1]), row[2]) for row in rows]


def _log(row: Row) -> Log:
    key, created, name, level, message, timestamp, flow_run_id, task_run_id = row
    moment = from_micros(created)
    return Log(
        id=log_id(created, key),
        created=moment,
        updated=moment,
        name=name,
        level=level,
        message=message,
        timestamp=from_micros(timestamp),
        flow_run_id=flow_run_id,
        task_run_id=task_run_id,
    )
