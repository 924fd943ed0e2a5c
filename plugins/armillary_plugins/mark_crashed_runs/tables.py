"""The tables of agents and of the runs they hold."""

from __future__ import annotations

from armillary.db.tables import Tables

TABLES = Tables(owner="mark_crashed_runs")
