"""Log lines as a table for other programs: CSV, a page of lines at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from urllib.parse import quote

COLUMNS = ("timestamp", "level", "flow_run_id", "task_run_id", "message")
MEDIA_TYPE = "text/csv; charset=utf-8"


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Write rows as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def disposition(run_name: str) -> str:
    """Name the file after the run, with a plain name for clients that know no other."""
    name = quote(f"{run_name}-logs.csv", safe="")
    return f"attachment; filename=\"flow-run-logs.csv\"; filename*=UTF-8''{name}"
