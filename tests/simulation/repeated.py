"""What rows repeat of others, so that lists find it at once, is what those say."""

from __future__ import annotations

import sqlite3

from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment

_TAGS = """
select t.tag, r.id from flow_run r, json_each(r.tags) j
  left join flow_run_tag t on t.flow_run_id = r.id and t.tag = j.value
where t.tag is null or (t.workspace, t.expected_start_time, t.state_type, t.state_name, t.started)
  is not (r.workspace, r.expected_start_time, r.state_type, r.state_name,
    coalesce(r.start_time, r.expected_start_time))
"""


def repeated_wrongly(connection: sqlite3.Connection, _: Ledger, __: Moment) -> list[str]:
    """Tags that are missing, or say another thing than their run."""
    return [
        f"tag {tag} of run {run} says another thing than the run"
        for tag, run in connection.execute(_TAGS)
    ]
