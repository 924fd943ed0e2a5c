"""Lets lists by start of what was expected in a window find what began long before or after.

PostgreSQL would take a third of all runs for such: it counts what it has statistics of.
"""

_APART = "abs(start_time - expected_start_time)"

STATEMENTS = (
    f"""create index flow_run_displaced on flow_run (workspace, expected_start_time)
        where {_APART} > 3600000000""",
    f"{{on_postgres}} create statistics flow_run_apart on ({_APART}) from flow_run",
    "{on_postgres} analyze flow_run",
)
