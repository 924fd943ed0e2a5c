"""The tables of automations, and of what they are about."""

from __future__ import annotations

from armillary.db.tables import Belongs, Tables

TABLES = Tables(
    owner="automations",
    belongs=(Belongs(table="automation_resource", to="automation", by="automation_id", key=None),),
)
