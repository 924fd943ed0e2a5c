"""Has PostgreSQL vacuum runs once a fiftieth of them has changed, not a fifth.

Counts and histories read indexes alone, but for what has changed since: with a tenth of a million
runs changed a count took three times as long.
"""

STATEMENTS = tuple(
    f"{{on_postgres}} alter table {table} set (autovacuum_vacuum_scale_factor = 0.02,"
    " autovacuum_vacuum_insert_scale_factor = 0.02)"
    for table in ("flow_run", "flow_run_tag", "task_run")
)
