"""What must hold: the invariants of the simulation, and that what a load was told is there."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import asyncpg

from tests.simulation.invariants import violations
from tests.simulation.ledger import Ledger, Schedule
from tests.simulation.moment import Moment
from tests.simulation.places import HERE
from tests.simulation.scheduled import scheduled_wrongly
from tests.soak.ledger import Acknowledged
from tests.soak.load import LIMIT

_MARGIN = 5.0
"""Seconds before its end from which a lease may be given back."""
_REPEATS = """
delete from outbox where event_id in (select id from sent)
  and id not in (select min(id) from outbox group by event_id)
"""
_DAMAGED = "pragma integrity_check"
_INDEXES = (
    "flow_run (id)", "flow_run_state (id)", "flow_run_state (flow_run_id, timestamp)",
    "task_run (id)", "task_run_state (id)", "task_run_state (task_run_id, timestamp)",
    "event (id)", "outbox (event_id)", "concurrency_lease (id)",
    "concurrency_lease_limit (lease_id)", "concurrency_lease_limit (limit_id)",
)  # fmt: skip
"""Of a copy of PostgreSQL, which brings none."""


async def wrong(database_url: str, ledger: Acknowledged) -> list[str]:
    """Everything that is not as it must be, in words, in a copy of one moment."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        copy = Path(folder) / "copy.db"
        await copied(database_url, copy)
        _leave_out_repeats(copy, ledger)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            found = violations(connection, _simulated(ledger))
            for look in (_damage, _claimed, _confirmed, _logged, _leased, _followed):
                found += look(connection, ledger)
        return found


def _leave_out_repeats(copy: Path, ledger: Acknowledged) -> None:
    """What clients sent again, unsure of it, may wait twice: the store leaves it out, as here."""
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        connection.execute("create temporary table sent (id text primary key)")
        connection.executemany("insert into sent values (?)", [(each,) for each in ledger.sent])
        connection.execute(_REPEATS)
        connection.commit()


def _simulated(ledger: Acknowledged) -> Ledger:
    """The part that the invariants of the simulation know how to look for."""
    return Ledger(
        flow_runs=dict.fromkeys(ledger.flow_runs, HERE),
        states=dict(ledger.states),
        claims=dict(ledger.claims),
        finished=dict(ledger.finished),
        wrong=list(ledger.wrong),
    )


async def wrong_meanwhile(database_url: str, ledger: Acknowledged) -> list[str]:
    """The same while everybody goes on, but for leases, which are given back meanwhile."""
    until_now = deepcopy(ledger)
    until_now.leases.clear()
    return await wrong(database_url, until_now)


async def copied(database_url: str, file: Path) -> None:
    """Copy every table, as it is at one moment, into a SQLite file."""
    if database_url.startswith("sqlite"):
        source = database_url.removeprefix("sqlite:///")
        with (
            contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
            contextlib.closing(sqlite3.connect(file)) as copy,
        ):
            live.backup(copy)
        return
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            with contextlib.closing(sqlite3.connect(file)) as copy:
                for row in await connection.fetch(
                    "select tablename from pg_tables where schemaname = 'public' order by 1"
                ):
                    await _copy_table(connection, copy, row[0])
                for number, index in enumerate(_INDEXES):
                    copy.execute(f"create index on_{number} on {index}")
                copy.commit()
    finally:
        await connection.close()


async def _copy_table(connection: asyncpg.Connection, copy: sqlite3.Connection, table: str) -> None:
    statement = await connection.prepare(f'select * from "{table}"')
    columns = ", ".join(f'"{each.name}"' for each in statement.get_attributes())
    copy.execute(f'create table "{table}" ({columns})')
    rows = await statement.fetch()
    if rows:
        places = ", ".join("?" * len(rows[0]))
        copy.executemany(f'insert into "{table}" values ({places})', map(tuple, rows))


def _damage(connection: sqlite3.Connection, _: Acknowledged) -> list[str]:
    """The file is whole."""
    found = [row[0] for row in connection.execute(_DAMAGED)]
    return [] if found == ["ok"] else [f"the database is damaged: {found[:3]}"]


def _claimed(connection: sqlite3.Connection, ledger: Acknowledged) -> list[str]:
    """No run was given to two workers, nor claimed or started twice."""
    entered = Counter(
        connection.execute("select flow_run_id, type from flow_run_state where type <> 'SCHEDULED'")
    )
    return [
        *(f"run {run} was {kind} {count} times" for (run, kind), count in entered.items()
          if count > 1),
        *(f"run {run} was given to {len(states)} workers" for run, states in ledger.claims.items()
          if len(states) > 1),
    ]  # fmt: skip


def _confirmed(connection: sqlite3.Connection, ledger: Acknowledged) -> list[str]:
    """Every event that was confirmed is stored or still to be stored, and stored once."""
    stored = Counter(row[0] for row in connection.execute("select id from event"))
    waiting = {row[0] for row in connection.execute("select event_id from outbox")}
    lost = ledger.events - stored.keys() - waiting
    twice = [event for event, count in stored.items() if count > 1]
    return [
        *(f"event {event} was confirmed and is gone" for event in sorted(lost)),
        *(f"event {event} is stored twice" for event in twice),
    ]


def _logged(connection: sqlite3.Connection, ledger: Acknowledged) -> list[str]:
    """Every line of a batch that was acknowledged is there."""
    lines = Counter(row[0][:36] for row in connection.execute("select message from log"))
    return [
        f"of batch {mark} {lines[mark]} lines are there, {count} were acknowledged"
        for mark, count in ledger.logs.items()
        if lines[mark] < count
    ]


def _leased(connection: sqlite3.Connection, ledger: Acknowledged) -> list[str]:
    """Who was given a lease has it until its end; never more are given than there are slots."""
    there = {row[0] for row in connection.execute("select id from concurrency_lease")}
    now = time.time()
    over = [
        f"limit {name} of {slots} slots has {taken} taken"
        for name, slots, taken in connection.execute(
            "select name, slot_limit, active_slots from concurrency_limit"
        )
        if taken > slots
    ]
    return over + [
        f"lease {lease} was given out and is gone"
        for lease, until in ledger.leases.items()
        if until > now + _MARGIN and lease not in there
    ]


def _followed(connection: sqlite3.Connection, _: Acknowledged) -> list[str]:
    """No consumer has passed what it has not handled: behind its place all is stored."""
    row = connection.execute(
        "select tx, id from consumer_position where consumer = 'event_persister'"
    ).fetchone()
    if row is None:
        return []
    stored = {row[0] for row in connection.execute("select id from event")}
    return [
        f"event {event} was passed and is not stored"
        for tx, key, event, topic in connection.execute(
            "select tx, id, event_id, topic from outbox order by tx, id"
        )
        if topic == "events" and (tx, key) <= (row[0], row[1]) and event not in stored
    ]


async def off_schedule(database_url: str, followed: Sequence[Schedule]) -> list[str]:
    """Slots of schedules that have no run, or more than one."""
    now = time.time_ns() // 1000
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        copy = Path(folder) / "copy.db"
        await copied(database_url, copy)
        ledger = Ledger(schedules={each.deployment_id: each for each in followed})
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            return scheduled_wrongly(connection, ledger, Moment(true=now, server=now))


async def at_rest(database_url: str, ledger: Acknowledged, *, leases: bool) -> list[str]:
    """What must hold besides, once everybody has ended and, if asked, every lease is over."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        copy = Path(folder) / "copy.db"
        await copied(database_url, copy)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            stored = {row[0] for row in connection.execute("select id from event")}
            leaked = connection.execute(
                "select active_slots from concurrency_limit where name = ?", (LIMIT,)
            ).fetchone()
            unfinished = connection.execute(
                "select count(*) from flow_run where state_type = 'RUNNING'"
            ).fetchone()[0]
            outside = [
                json.loads(body)["id"]
                for (body,) in connection.execute("select body from outbox where topic = 'events'")
            ]
    found = [f"event {event} was never stored" for event in outside if event not in stored]
    if leases and leaked and leaked[0]:
        found.append(f"{leaked[0]} slots are taken though nobody is there")
    if unfinished:
        found.append(f"{unfinished} flow runs are still running though everybody went on")
    return found + [
        f"event {event} was confirmed and never stored" for event in ledger.events - stored
    ]
