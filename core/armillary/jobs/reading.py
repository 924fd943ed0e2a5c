"""Jobs as people see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.db.filters import Condition, any_of, every
from armillary.db.listing import Span
from armillary.db.unit import Reader, Row

_COLUMNS = (
    "id, queue, job, key, state, arguments, created, scheduled, started, ended, attempts, "
    "attempts_allowed, progress, note, error"
)
_BY_ID = f"select {_COLUMNS} from job where id = ? and workspace = ?"
_TOTALS = """
select queue, state, count(*) from job where workspace = ? group by queue, state
order by queue, state
"""


class JobShown(msgspec.Struct, frozen=True, kw_only=True):
    """A job, how it goes, and what went wrong the last time."""

    id: str
    queue: str
    job: str
    key: str
    state: str
    """waiting, active, done, dead or aborted."""
    arguments: msgspec.Raw
    created: datetime
    due: datetime
    started: datetime | None
    ended: datetime | None
    attempts: int
    attempts_allowed: int
    progress: float
    note: str | None
    error: str | None


class Total(msgspec.Struct, frozen=True):
    """How many jobs of a queue are in a state."""

    queue: str
    state: str
    count: int


async def list_jobs(
    reader: Reader, *, queues: Sequence[str] | None, states: Sequence[str] | None, span: Span
) -> list[JobShown]:
    """List the jobs of some queues in some states, the newest first."""
    where = every(
        [
            Condition("workspace = ?", (reader.workspace,)),
            *any_of("state", states),
            *any_of("queue", queues),
        ]
    )
    rows = await reader.all(
        f"select {_COLUMNS} from job where {where.sql} order by created desc, id desc "
        "limit ? offset ?",
        *where.args,
        span.limit,
        span.offset,
    )
    return [_shown(row) for row in rows]


async def read_job(reader: Reader, job_id: str) -> JobShown | None:
    """Read a job of the reader's workspace."""
    row = await reader.one(_BY_ID, job_id, reader.workspace)
    return None if row is None else _shown(row)


async def totals(reader: Reader) -> list[Total]:
    """Count the jobs of each queue by state."""
    return [Total(*row) for row in await reader.all(_TOTALS, reader.workspace)]


def _shown(row: Row) -> JobShown:
    return JobShown(
        id=row[0],
        queue=row[1],
        job=row[2],
        key=row[3],
        state=row[4],
        arguments=msgspec.Raw(row[5].encode()),
        created=from_micros(row[6]),
        due=from_micros(row[7]),
        started=maybe_moment(row[8]),
        ended=maybe_moment(row[9]),
        attempts=row[10],
        attempts_allowed=row[11],
        progress=row[12],
        note=row[13],
        error=row[14],
    )
