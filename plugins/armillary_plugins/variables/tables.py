"""The table of variables."""

from __future__ import annotations

from armillary.db.tables import Tables

TABLES = Tables(owner="variables")
