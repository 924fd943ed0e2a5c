"""Jobs: each is done once or visibly dead; what is deleted goes with all that hangs below it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from armillary.db.core_belongs import BELONGS
from armillary.db.dialect import Dialect
from armillary.deleting.family import Family
from armillary_plugins.logs.tables import TABLES as LOGS
from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_SECOND = 1_000_000
_UNFINISHED = ("waiting", "active", "dead")
_FRESH = 600 * _SECOND
"""Lines that look younger than that may not have been cleared away yet."""
_UNLESS_FRESH = " and not c.timestamp between ? and ?"
_ALL = " and ? <= ?"
# A run that was cancelled while it was Cancelling in this very state has no need of its job.
_UNWATCHED = """
select r.id from flow_run r where r.state_type = 'CANCELLING' and not exists (
  select 1 from job j where j.key = r.state_id and j.state in ('waiting', 'active', 'dead'))
"""


@contextmanager
def as_readers_see(connection: sqlite3.Connection) -> Iterator[None]:
    """Hide from a connection what is doomed, as it is hidden from whoever asks the server."""
    if not connection.execute("select 1 from doomed").fetchone():
        yield
        return
    for table, view in _views():
        connection.execute(f"create temp view {table} as {view}")
    try:
        yield
    finally:
        for table, _ in _views():
            connection.execute(f"drop view temp.{table}")


@cache
def _views() -> list[tuple[str, str]]:
    family = Family([*BELONGS, *LOGS.belongs], {})
    tables = sorted({each.table for each in family.belongs if not each.clears})
    doomed = {table: _as_it_is(family.doomed(table, "h")) for table in tables}
    return [
        (table, f"select * from main.{table} h where not coalesce({doomed[table]}, false)")
        for table in tables
    ]


def _as_it_is(sql: str) -> str:
    """Ask the tables themselves: what is hidden is not gone."""
    return re.sub(r"from (\w+)", r"from main.\1", sql)


@cache
def _orphans(*, logs: bool) -> list[tuple[str, str]]:
    """Statements that count rows without what they belong to, by what they are about."""
    family = Family([*BELONGS, *(LOGS.belongs if logs else ())], {})
    found = []
    for each in family.belongs:
        if each.audited:
            sql = _as_it_is(Dialect.SQLITE.sql(family.orphans_of(each)))
            sql += _UNLESS_FRESH if each.table == "log" else _ALL
            found.append((f"{each.table}.{each.by}", sql))
    return found


def jobs_wrongly(connection: sqlite3.Connection, _: Ledger, moment: Moment) -> list[str]:
    """Jobs lost, acknowledged before they were done, or left over."""
    rows = connection.execute(
        "select id, job, state, attempts, attempts_allowed, arguments, scheduled from job"
    ).fetchall()
    wrong = [f"job {row[0]} had {row[3]} attempts of {row[4]}" for row in rows if row[3] > row[4]]
    unfinished = {
        each
        for row in rows
        if row[1] == "delete_below" and row[2] in _UNFINISHED
        for each in json.loads(row[5])["ids"]
    }
    wrong += [
        f"what hangs below {kind} {doomed} is to be deleted, and no job does it"
        for doomed, kind in connection.execute("select id, kind from doomed")
        if doomed not in unfinished
    ]
    wrong += [
        f"no job looks at run {row[0]}, which is being cancelled"
        for row in connection.execute(_UNWATCHED)
    ]
    # Lines that come in after their run went are cleared away now and then.
    fresh = (moment.server - _FRESH, moment.server)
    for what, sql in _orphans(logs=moment.settled):
        if count := connection.execute(sql, fresh).fetchone()[0]:
            wrong.append(f"{count} rows of {what} belong to nothing")
    if moment.settled:
        wrong += [
            f"job {row[0]}, {row[1]}, is {row[2]} with nothing left to do"
            for row in rows
            if row[2] in {"waiting", "active"} and row[6] <= moment.server
        ]
    return wrong
