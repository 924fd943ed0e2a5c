"""Has PostgreSQL vacuum runs once a hundredth of them has changed, not a fifth.

Counts read an index alone but for what has changed since, and histories read what is dead as well:
both take two to three times as long when a tenth of a million runs has changed.
"""

STATEMENTS = tuple(
    f"{{on_postgres}} alter table {table} set (autovacuum_vacuum_scale_factor = 0.01,"
    " autovacuum_vacuum_insert_scale_factor = 0.01)"
    for table in ("flow_run", "flow_run_tag", "task_run")
)
