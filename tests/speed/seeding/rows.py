"""Rows by table, handed on in large portions, parents before children."""

from collections.abc import Iterator

Row = tuple[object, ...]
PORTION = 100_000
"""Rows of all tables that go into one transaction."""

COLUMNS = {
    "flow": "id workspace created updated name tags labels",
    "work_pool": "id workspace created updated name description type base_job_template is_paused"
    " concurrency_limit default_queue_id status storage_configuration",
    "work_queue": "id workspace created updated name description is_paused priority work_pool_id"
    " status",
    "worker": "id workspace created updated name work_pool_id last_heartbeat_time"
    " heartbeat_interval_seconds status",
    "deployment": "id workspace created updated name flow_id version paused job_variables"
    " parameters tags labels work_queue_name work_queue_id status parameter_openapi_schema path"
    " entrypoint enforce_parameter_schema",
    "deployment_schedule": "id workspace created updated deployment_id schedule active parameters",
    "flow_run": "id workspace created updated name flow_id state_id state_type state_name"
    " state_timestamp deployment_id work_queue_id work_queue_name idempotency_key"
    " parent_task_run_id schedule_id run_count expected_start_time next_scheduled_start_time"
    " start_time end_time total_run_time auto_scheduled empirical_policy parameters context tags"
    " labels job_variables created_by",
    "flow_run_tag": "workspace tag expected_start_time flow_run_id state_type state_name started",
    "flow_run_state": "id flow_run_id type name timestamp message data details",
    "task_run": "id workspace created updated name flow_run_id task_key dynamic_key state_id"
    " state_type state_name state_timestamp run_count flow_run_run_count expected_start_time"
    " start_time end_time total_run_time empirical_policy task_inputs tags labels",
    "task_run_state": "id task_run_id type name timestamp message data details",
    "log": "workspace created timestamp level name message flow_run_id task_run_id",
    "event": "key workspace id occurred received event resource_id follows body",
    "event_resource": "workspace resource_id occurred event_key",
}
"""What is written of each table; other columns stay null."""


class Rows:
    """Lists that the makers of rows append to."""

    def __init__(self) -> None:
        self.of: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        self.counts = dict.fromkeys(COLUMNS, 0)
        self.made = 0

    def full(self) -> bool:
        """Tell whether enough has come together for a transaction."""
        return sum(map(len, self.of.values())) >= PORTION

    def taken(self) -> Iterator[tuple[str, tuple[str, ...], list[Row]]]:
        """Hand on what there is and forget it."""
        for table, columns in COLUMNS.items():
            rows = self.of[table]
            if not rows:
                continue
            self.counts[table] += len(rows)
            self.made += len(rows)
            yield table, tuple(columns.split()), rows
            rows.clear()
