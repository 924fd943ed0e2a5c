"""What must hold after every fault, as the simulation says it, in a copy of the tables."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
import time
from collections import Counter, defaultdict
from copy import deepcopy
from pathlib import Path

import asyncpg

from tests.soak.ledger import Acknowledged
from tests.soak.load import LIMIT

_MARGIN = 5.0
"""Seconds before its end from which a lease may be given back."""
_DAMAGED = "pragma integrity_check"
_HELD = """
select l.name, l.active_slots, coalesce((select sum(c.slots) from concurrency_lease_limit k
  join concurrency_lease c on c.id = k.lease_id where k.limit_id = l.id), 0)
from concurrency_limit l
"""


async def wrong(database_url: str, ledger: Acknowledged) -> list[str]:
    """Everything that is not as it must be, in words, in a copy of one moment."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        copy = Path(folder) / "copy.db"
        await copied(database_url, copy)
        found = list(ledger.wrong)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            for look in (_damage, _there, _ended, _explained, _claimed, _confirmed, _logged,
                         _leased, _followed, _told):  # fmt: skip
                found += look(connection, ledger)
        return found


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


def _there(connection: sqlite3.Connection, ledger: Acknowledged) -> list[str]:
    """Every run and every state that an answer has named is there."""
    runs = {row[0] for row in connection.execute("select id from flow_run")}
    states = dict(connection.execute("select id, flow_run_id from flow_run_state"))
    return [
        *(f"flow run {run} was acknowledged and is gone" for run in ledger.flow_runs - runs),
        *(
            f"state {state} of run {run} was acknowledged and is gone"
            for state, run in ledger.states.items()
            if states.get(state) != run
        ),
    ]


def _ended(connection: sqlite3.Connection, ledger: Acknowledged) -> list[str]:
    """What was acknowledged to have ended has ended, and did not go on."""
    heads = dict(connection.execute("select id, state_type from flow_run"))
    return [
        f"run {run} was acknowledged as {kind} and is {heads.get(run)}"
        for run, kind in ledger.finished.items()
        if heads.get(run) != kind
    ]


def _explained(connection: sqlite3.Connection, _: Acknowledged) -> list[str]:
    """The history of states explains every run: its last is the head, none follows an end."""
    wrong = []
    for table, what in (("flow_run", "flow run"), ("task_run", "task run")):
        histories: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for run, state, kind in connection.execute(
            f"select {table}_id, id, type from {table}_state order by timestamp"
        ):
            histories[run].append((state, kind))
        for run, head, kind in connection.execute(
            f"select id, state_id, state_type from {table} where state_id is not null"
        ):
            history = histories.pop(run, [])
            if not history or history[-1] != (head, kind):
                wrong.append(f"{what} {run} is {kind}, its history ends with {history[-1:]}")
            # A task run may be told twice of its end: only flow runs know a proposal again.
            if {"COMPLETED"} < {kind for _, kind in _from_the_end(history)}:
                wrong.append(f"{what} {run} went on after its end: {history}")
        wrong += [f"there are states of {what} {run}, which is gone" for run in histories]
    return wrong


def _from_the_end(history: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first end, and what came after it."""
    kinds = [kind for _, kind in history]
    return history[kinds.index("COMPLETED") :] if "COMPLETED" in kinds else []


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


def _told(connection: sqlite3.Connection, _: Acknowledged) -> list[str]:
    """Every state has its event, stored or still to be stored."""
    stored = {row[0] for row in connection.execute("select id from event")}
    stored.update(row[0] for row in connection.execute("select event_id from outbox"))
    return [
        f"state {state} of run {run} has no event"
        for state, run in connection.execute("select id, flow_run_id from flow_run_state")
        if state not in stored
    ]


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
    """Who was given a lease has it until its end, and slots are taken as leases hold them."""
    there = {row[0] for row in connection.execute("select id from concurrency_lease")}
    now = time.time()
    over = [
        f"limit {name} of {slots} slots has {taken} taken"
        for name, slots, taken in connection.execute(
            "select name, slot_limit, active_slots from concurrency_limit"
        )
        if taken > slots
    ]
    apart = [
        f"limit {name} has {taken} slots taken, its leases hold {held}"
        for name, taken, held in connection.execute(_HELD)
        if taken != held
    ]
    return [*over, *apart] + [
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
