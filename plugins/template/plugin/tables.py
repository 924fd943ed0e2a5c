"""The table of the number."""

from __future__ import annotations

from armillary.db.tables import Tables

TABLES = Tables(owner="example")
