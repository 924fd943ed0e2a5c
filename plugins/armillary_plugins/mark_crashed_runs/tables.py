"""The tables of agents and of the runs they hold."""

from __future__ import annotations

from armillary.db.tables import Belongs, Tables

TABLES = Tables(
    owner="mark_crashed_runs",
    belongs=(Belongs(table="agent_run", to="flow_run", by="flow_run_id", key=None),),
)
