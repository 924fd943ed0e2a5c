"""Slots: those taken are those that leases hold, and no lease outlives its holder for long."""

from __future__ import annotations

import sqlite3

from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_NEVER = 2**62
_TAKEN = """
select l.workspace, l.name, l.active_slots,
  coalesce((select sum(c.slots) from concurrency_lease_limit k
    join concurrency_lease c on c.id = k.lease_id where k.limit_id = l.id), 0)
from concurrency_limit l
"""
_ORPHANS = """
select k.lease_id from concurrency_lease_limit k
  left join concurrency_lease c on c.id = k.lease_id where c.id is null
"""
_HELD = """
select c.id, c.expires, c.holder_type, c.holder_id, coalesce(f.state_type, t.state_type)
from concurrency_lease c
  left join flow_run f on c.holder_type = 'flow_run' and f.id = c.holder_id
  left join task_run t on c.holder_type = 'task_run' and t.id = c.holder_id
"""
_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


def held_wrongly(connection: sqlite3.Connection, ledger: Ledger, moment: Moment) -> list[str]:
    """Slots and leases that do not fit together."""
    wrong = []
    for workspace, name, taken, held in connection.execute(_TAKEN):
        if taken != held:
            wrong.append(f"limit {name} has {taken} slots taken, its leases hold {held}")
        most = ledger.capacity.get((workspace, name))
        if most is not None and taken > most:
            wrong.append(f"limit {name} has {taken} slots taken, and never had more than {most}")
    wrong += [f"lease {row[0]}, which is gone, is counted" for row in connection.execute(_ORPHANS)]
    for lease, expires, kind, holder, state in connection.execute(_HELD):
        if expires == _NEVER and state in _ENDED:
            wrong.append(f"{kind} {holder} has ended as {state} and holds lease {lease} for ever")
        if moment.settled and expires != _NEVER:
            wrong.append(f"lease {lease} of {kind} {holder} is still there with nobody left")
    return wrong
