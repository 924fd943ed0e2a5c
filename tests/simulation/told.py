"""Events: every change has its own exactly once, in the order written, and subscribers hear it."""

from __future__ import annotations

import sqlite3

import msgspec

from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_SECOND = 1_000_000
_LATE = 75.0
"""Seconds within which a subscriber hears of an event, however slow or broken the line is."""
_WAITING = "select event_id from outbox where topic = 'events' order by id"
_UNTOLD = """
select s.id, s.flow_run_id from flow_run_state s join flow_run r on r.id = s.flow_run_id
where r.auto_scheduled = 0 or s.timestamp <> (select min(o.timestamp)
  from flow_run_state o where o.flow_run_id = r.id)
"""
_STREAMED = """
select id, occurred from event
where workspace = ? and event >= 'prefect.flow-run.' and event < 'prefect.flow-run/'
  and occurred between ? and ?
"""


class _Told(msgspec.Struct):
    id: str


_decode = msgspec.json.Decoder(_Told).decode


def told_wrongly(connection: sqlite3.Connection, ledger: Ledger, moment: Moment) -> list[str]:
    """Changes without an event, events twice or out of order, and what nobody was told.

    Only what the scheduler writes ahead, many runs at once, is no event until it is claimed.
    """
    stored = {row[0] for row in connection.execute("select id from event")}
    waiting = [row[0] for row in connection.execute(_WAITING)]
    there = stored.union(waiting)
    wrong = [
        f"state {state} of run {run} has no event"
        for state, run in connection.execute(_UNTOLD)
        if state not in there
    ]
    ours = [event for event in waiting if event not in ledger.reported]
    if len(set(ours)) != len(ours):
        wrong.append("an event is told twice")
    wrong += [
        f"event {event} was acknowledged and is gone" for event in sorted(ledger.durable - there)
    ]
    wrong += [
        f"{heard.name} was told of event {event}, which never was"
        for heard in ledger.heard
        for event in sorted(heard.ids - there)
    ]
    return wrong + _out_of_order(connection, ledger) + _unheard(connection, ledger, moment)


def _out_of_order(connection: sqlite3.Connection, ledger: Ledger) -> list[str]:
    """What the server tells of itself is stored behind what it follows."""
    wrong = []
    keys: dict[str, int] = dict(connection.execute("select id, key from event"))
    for key, event, before in connection.execute(
        "select key, id, follows from event where follows is not null"
    ):
        if event not in ledger.reported and keys.get(before, 0) > key:
            wrong.append(f"event {event} was stored before {before}, which it follows")
    for event, body in connection.execute("select id, body from event"):
        if _decode(body).id != event:
            wrong.append(f"event {event} is stored with the body of another")
    return wrong


def _unheard(connection: sqlite3.Connection, ledger: Ledger, moment: Moment) -> list[str]:
    """Who has listened for a while has heard all of it."""
    wrong = []
    for heard in ledger.heard:
        if moment.true is None or moment.set_at or not heard.steady(moment.elapsed, _LATE):
            continue
        until = moment.true - int(_LATE * _SECOND)
        wrong += [
            f"{heard.name} was not told of event {event}"
            for event, _ in connection.execute(_STREAMED, (heard.place.key, heard.since, until))
            if event not in heard.ids
        ]
    return wrong
