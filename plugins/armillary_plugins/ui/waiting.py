"""Why a run does not run: who would have to poll, resume or make room, in a sentence for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from armillary.api import Call
from armillary.db.unit import Reader
from armillary.work_pools.schemas import QUEUE_POLLED_WITHIN
from armillary_plugins.ui.pool_schemas import Hindrance
from armillary_plugins.ui.pool_shaping import pool_row, queue_row
from armillary_plugins.ui.repository import pools
from armillary_plugins.ui.repository.run import read_wait

_STATE, _NAME, _ENTERED, _DEPLOYMENT = 2, 3, 4, 9
_FOR_A_SLOT = "AwaitingConcurrencySlot"
_PATIENCE = 60_000_000
"""Microseconds in which infrastructure starts as a rule."""
_SERVED_WITHIN = int(QUEUE_POLLED_WITHIN * 1_000_000)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What a run waits for; nothing while it runs, has ended, or is not due."""

    reasons: tuple[Hindrance, ...]
    live_path: str | None
    """None when nothing will change any more."""


async def read_waiting(call: Call, row: Sequence[Any], *, live_path: str | None) -> Waiting:
    """Find out what the flow run of this row waits for."""
    reasons: tuple[Hindrance, ...] = ()
    if row[_STATE] == "PENDING" and call.received - (row[_ENTERED] or 0) > _PATIENCE:
        reasons = (
            _mild("It was claimed a while ago and has not begun: what it runs on is starting yet."),
        )
    elif row[_STATE] == "SCHEDULED":
        reasons = await _of_scheduled(call, row)
    return Waiting(reasons=reasons, live_path=live_path)


async def _of_scheduled(call: Call, row: Sequence[Any]) -> tuple[Hindrance, ...]:
    reader, now = call.read(), call.received
    found = await read_wait(reader, row[0])
    if found is None:
        return ()
    queue_id, due, served, limit = found
    if row[_NAME] == _FOR_A_SLOT:
        return (_for_a_slot(row[_DEPLOYMENT], limit),)
    if due is None or due > now:
        return ()
    if queue_id is None:
        return _without_queue(row[_DEPLOYMENT], served, now=now)
    reason = await _of_queue(reader, queue_id, now=now)
    return () if reason is None else (reason,)


async def _of_queue(reader: Reader, queue_id: str, *, now: int) -> Hindrance | None:
    """What keeps the pool from running anything comes before what keeps the queue from it."""
    found = await pools.read_queue(reader, queue_id, now=now)
    if found is None:
        return None
    queue = queue_row(found, now=now)
    above = await pools.read_pool(reader, queue.pool_name, now=now)
    pool = None if above is None else pool_row(above, now=now)
    return (pool and pool.hindrance) or queue.hindrance


def _for_a_slot(deployment: str | None, limit: int | None) -> Hindrance:
    known = "" if limit is None else f" ({limit})"
    return _mild(
        f"The deployment {deployment} runs as many as it may{known}: "
        "this run starts as another ends."
    )


def _without_queue(
    deployment: str | None, served: int | None, *, now: int
) -> tuple[Hindrance, ...]:
    if deployment is None:
        return (_mild("It belongs to no deployment: only the program that made it runs it."),)
    if served is not None and now - served <= _SERVED_WITHIN:
        return ()
    text = (
        f"Nobody serves the deployment {deployment}, so it does not run: start the program that "
        "serves it, or give it a work pool."
    )
    return (Hindrance(grave=True, text=text),)


def _mild(text: str) -> Hindrance:
    return Hindrance(grave=False, text=text)
