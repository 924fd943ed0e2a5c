"""Tells whoever holds on to a work pool that it was changed, in every process."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Emitted, Unit
from armillary.ids import Ids

TOPIC = "work_pools"
SHOWN = frozenset({"base_job_template", "concurrency_limit", "is_paused", "storage_configuration"})
"""The columns workers are told about whenever a request names them."""


class Change(msgspec.Struct, frozen=True):
    """Which pool it was."""

    pool_id: str


def announce(unit: Unit, ids: Ids, pool_id: str) -> None:
    """Say with the commit that a pool was changed or deleted."""
    body = msgspec.json.encode(Change(pool_id)).decode()
    unit.emit(Emitted(TOPIC, ids.uuid7(), body))
