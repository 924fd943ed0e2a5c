"""The tables of artifacts and of their collections."""

from __future__ import annotations

from armillary.db.tables import Belongs, Tables
from armillary_plugins.artifacts.repository.writing import release_artifacts

TABLES = Tables(
    owner="artifacts",
    belongs=(
        Belongs(table="artifact", to="flow_run", by="flow_run_id", scoped=True),
        # Clients report task runs themselves, so there may be none yet, or never.
        Belongs(
            table="artifact",
            to="task_run",
            by="task_run_id",
            scoped=True,
            only="flow_run_id is null",
            audited=False,
        ),
        Belongs(table="artifact_collection", to="artifact", by="latest_id"),
    ),
    releases={"artifact": release_artifacts},
)
