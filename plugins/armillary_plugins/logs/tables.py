"""The table of log lines."""

from __future__ import annotations

from armillary.db.tables import Belongs, Tables

TABLES = Tables(
    owner="logs",
    belongs=(
        Belongs(table="log", to="flow_run", by="flow_run_id", key="key", scoped=True),
        Belongs(
            table="log",
            to="task_run",
            by="task_run_id",
            key="key",
            scoped=True,
            only="flow_run_id is null",
        ),
    ),
)
