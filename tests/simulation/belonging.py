"""Workspaces: nothing of one is in another, though all names are the same."""

from __future__ import annotations

import sqlite3

from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_LINKS = (
    ("flow_run", "flow_id", "flow"),
    ("flow_run", "deployment_id", "deployment"),
    ("flow_run", "work_queue_id", "work_queue"),
    ("flow_run", "parent_task_run_id", "task_run"),
    ("flow_run_tag", "flow_run_id", "flow_run"),
    ("task_run", "flow_run_id", "flow_run"),
    ("deployment", "flow_id", "flow"),
    ("deployment", "work_queue_id", "work_queue"),
    ("deployment", "concurrency_limit_id", "concurrency_limit"),
    ("deployment_schedule", "deployment_id", "deployment"),
    ("work_queue", "work_pool_id", "work_pool"),
    ("worker", "work_pool_id", "work_pool"),
)
_LEASES = """
select c.id from concurrency_lease c
  join concurrency_lease_limit k on k.lease_id = c.id
  join concurrency_limit l on l.id = k.limit_id where l.workspace <> c.workspace
"""
_HOLDERS = """
select c.id from concurrency_lease c
  left join flow_run f on f.id = c.holder_id left join task_run t on t.id = c.holder_id
where coalesce(f.workspace, t.workspace, c.workspace) <> c.workspace
"""
_EVENTS = """
select e.id from event e
  join flow_run r on e.resource_id = 'prefect.flow-run.' || r.id where r.workspace <> e.workspace
"""


def mixed_up(connection: sqlite3.Connection, ledger: Ledger, _: Moment) -> list[str]:
    """Rows of one workspace that lie in another, or point there."""
    wrong = []
    for table, column, target in _LINKS:
        wrong += [
            f"a {table} of workspace {row[0]} names a {target} of workspace {row[1]}"
            for row in connection.execute(
                f"select a.workspace, b.workspace from {table} a join {target} b"
                f" on b.id = a.{column} where a.workspace <> b.workspace"
            )
        ]
    for sql, what in ((_LEASES, "lease"), (_HOLDERS, "lease"), (_EVENTS, "event")):
        wrong += [f"{what} {row[0]} lies in another workspace" for row in connection.execute(sql)]
    runs = dict(connection.execute("select id, workspace from flow_run"))
    wrong += [
        f"run {run} was made in workspace {place.key} and lies in {runs[run]}"
        for run, place in sorted(ledger.flow_runs.items())
        if runs.get(run, place.key) != place.key
    ]
    return wrong
