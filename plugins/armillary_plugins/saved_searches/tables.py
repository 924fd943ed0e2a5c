"""The table of saved searches."""

from __future__ import annotations

from armillary.db.tables import Tables

TABLES = Tables(owner="saved_searches")
