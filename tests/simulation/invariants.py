"""What must hold after every kill and at the end, said as a reader would want it."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from tests.simulation.ledger import Ledger

_TERMINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


def violations(file: Path, ledger: Ledger) -> list[str]:
    """Everything that is not as it must be, in words; looked up in the file itself."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        found = [*ledger.wrong]
        for look in (_acknowledged, _histories, _slots, _told, _slots_of_schedules):
            found += look(connection, ledger)
    connection.close()
    return found


def _acknowledged(connection: sqlite3.Connection, ledger: Ledger) -> list[str]:
    """What was acknowledged is there."""
    runs = {row[0] for row in connection.execute("select id from flow_run")}
    states = dict(connection.execute("select id, flow_run_id from flow_run_state"))
    ends = set(connection.execute("select flow_run_id, type from flow_run_state"))
    return [
        *(
            f"flow run {run} was acknowledged and is gone"
            for run in sorted(ledger.flow_runs - runs)
        ),
        *(
            f"state {state} of run {run} was acknowledged and is gone"
            for state, run in sorted(ledger.states.items())
            if states.get(state) != run
        ),
        *(
            f"run {run} was acknowledged as {kind} and never was"
            for run, kind in sorted(ledger.finished.items())
            if (run, kind) not in ends
        ),
    ]


def _histories(connection: sqlite3.Connection, ledger: Ledger) -> list[str]:
    """The history of states explains every run, and no run is claimed twice."""
    wrong = []
    histories: dict[str, list[tuple[str, str, str, int]]] = defaultdict(list)
    for run, state, kind, name, moment in connection.execute(
        "select flow_run_id, id, type, name, timestamp from flow_run_state order by timestamp"
    ):
        histories[run].append((state, kind, name, moment))
    for run, state_id, kind in connection.execute("select id, state_id, state_type from flow_run"):
        history = histories.pop(run, [])
        if not history or (history[-1][0], history[-1][1]) != (state_id, kind):
            wrong.append(f"run {run} is {kind}, its history ends with {history[-1:]}")
        moments = [entry[3] for entry in history]
        if len(set(moments)) != len(moments):
            wrong.append(f"run {run} was in two states at one moment")
        for (_, before, _, _), (_, after, name, _) in pairwise(history):
            if before in _TERMINAL and after not in {"SCHEDULED", "RUNNING", "PENDING"}:
                wrong.append(f"run {run} went from {before} to {after}")
            if before == after == "PENDING" and name == "Pending":
                wrong.append(f"run {run} was claimed twice")
        claims = [entry[0] for entry in history if entry[0] in ledger.claims.get(run, ())]
        if len(claims) != len(ledger.claims.get(run, ())):
            wrong.append(f"run {run} was given to two workers by one state")
    wrong += [f"there are states of run {run}, which is gone" for run in sorted(histories)]
    return wrong


def _slots(connection: sqlite3.Connection, _: Ledger) -> list[str]:
    """The slots taken are those that somebody holds."""
    return [
        f"limit {name} has {taken} slots taken, its leases hold {held}"
        for name, taken, held in connection.execute(
            """select l.name, l.active_slots,
                 coalesce((select sum(c.slots) from concurrency_lease_limit k
                   join concurrency_lease c on c.id = k.lease_id where k.limit_id = l.id), 0)
               from concurrency_limit l"""
        )
        if taken != held
    ]


def _told(connection: sqlite3.Connection, _: Ledger) -> list[str]:
    """Every state has its event exactly once, stored or still to be told, in the order written.

    Only what the scheduler writes ahead, many runs at once, is no event until it is claimed.
    """
    stored = {row[0] for row in connection.execute("select id from event")}
    waiting = [row[0] for row in connection.execute("select event_id from outbox order by id")]
    wrong = [
        f"state {state} of run {run} has no event"
        for state, run in connection.execute(
            """select s.id, s.flow_run_id
               from flow_run_state s join flow_run r on r.id = s.flow_run_id
               where r.auto_scheduled = 0 or s.timestamp <> (select min(o.timestamp)
                 from flow_run_state o where o.flow_run_id = r.id)"""
        )
        if state not in stored and state not in waiting
    ]
    if len(set(waiting)) != len(waiting):
        wrong.append("an event is told twice")
    follows: dict[str, int] = {}
    for key, event, body in connection.execute("select key, id, body from event order by key"):
        follows[event] = key
        before = json.loads(body).get("follows")
        if before in follows or before is None:
            continue
        later = connection.execute("select key from event where id = ?", (before,)).fetchone()
        if later is not None:
            wrong.append(f"event {event} was stored before {before}, which it follows")
    return wrong


def _slots_of_schedules(connection: sqlite3.Connection, _: Ledger) -> list[str]:
    """Every slot of a schedule has one run at most."""
    return [
        f"{count} runs of deployment {deployment} were made for {moment}"
        for deployment, moment, count in connection.execute(
            """select deployment_id, idempotency_key, count(*) from flow_run
               where auto_scheduled = 1 group by 1, 2 having count(*) > 1"""
        )
    ]
