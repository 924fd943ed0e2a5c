"""The tables of the event store."""

from __future__ import annotations

from armillary.db.tables import Tables

TABLES = Tables(owner="events")
