"""The table of log lines."""

from __future__ import annotations

from armillary.db.tables import Tables

TABLES = Tables(owner="logs")
