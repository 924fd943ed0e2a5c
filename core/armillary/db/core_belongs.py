"""What the core's tables belong to; apart from their declarations, which are slow to import."""

from __future__ import annotations

from armillary.db.tables import Belongs

BELONGS = (
    Belongs(table="flow_run", to="flow", by="flow_id"),
    Belongs(table="deployment", to="flow", by="flow_id"),
    Belongs(table="deployment_schedule", to="deployment", by="deployment_id"),
    # what a deployment has ahead of it; other runs keep the id of one that is gone
    Belongs(
        table="flow_run",
        to="deployment",
        by="deployment_id",
        only="state_type = 'SCHEDULED' and run_count = 0"
        " and state_name not in ('AwaitingConcurrencySlot', 'AwaitingRetry')",
        audited=False,
    ),
    Belongs(table="flow_run_tag", to="flow_run", by="flow_run_id", key=None),
    Belongs(table="flow_run_input", to="flow_run", by="flow_run_id"),
    Belongs(table="flow_run_state", to="flow_run", by="flow_run_id"),
    Belongs(table="task_run", to="flow_run", by="flow_run_id"),
    Belongs(table="flow_run", to="task_run", by="parent_task_run_id", clears=True),
    Belongs(table="task_run_state", to="task_run", by="task_run_id"),
    Belongs(table="task_run_waiting", to="task_run", by="task_run_id", key=None),
    Belongs(
        table="task_run_state_cache",
        to="task_run_state",
        by="task_run_state_id",
        key=None,
    ),
    Belongs(table="worker", to="work_pool", by="work_pool_id"),
    Belongs(table="work_queue", to="work_pool", by="work_pool_id"),
    Belongs(table="deployment", to="work_queue", by="work_queue_id", clears=True),
    Belongs(table="flow_run", to="work_queue", by="work_queue_id", clears=True),
    Belongs(table="concurrency_lease_limit", to="concurrency_lease", by="lease_id", key=None),
    Belongs(table="concurrency_lease_limit", to="concurrency_limit", by="limit_id", key=None),
    Belongs(table="deployment", to="concurrency_limit", by="concurrency_limit_id", clears=True),
)
"""What goes with what: of two that hang below one thing, first the one that is named first."""
