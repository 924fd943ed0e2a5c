"""Rows of pools, queues and workers as what the pages show, and why nothing of them runs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.work_pools.schemas import QUEUE_POLLED_WITHIN
from armillary_plugins.ui.pool_schemas import (
    Hindrance,
    Load,
    PoolRow,
    PoolTwin,
    QueueRow,
    Status,
    WorkerRow,
)
from armillary_plugins.ui.repository.pools import CAP

_POLLED_WITHIN = int(QUEUE_POLLED_WITHIN * 1_000_000)
_LOCAL = "local"


def pool_row(row: Sequence[Any], *, now: int) -> PoolRow:
    """Shape a pool."""
    name, paused, limit = row[1], bool(row[4]), row[5]
    online, polled = row[8], row[10]
    load = _load(row[11], row[12], row[13])
    polling = online > 0 or _recently(polled, now)
    heard = max((moment for moment in (row[9], polled) if moment is not None), default=None)
    return PoolRow(
        id=row[0],
        name=name,
        type=row[2],
        description=row[3] or None,
        status=_status(paused=paused, polling=polling),
        paused=paused,
        limit=limit,
        load=load,
        workers=row[14],
        workers_online=online,
        queues=row[7],
        last_heard=maybe_moment(heard),
        created=from_micros(row[6]),
        hindrance=_of_pool(name, paused=paused, polling=polling, limit=limit, load=load),
    )


def pool_twin(pool: PoolRow) -> PoolTwin:
    """Shape a pool for programs."""
    given = msgspec.structs.asdict(pool)
    for name in ("paused", "load", "hindrance", "workers"):
        given.pop(name)
    return PoolTwin(
        **given,
        running=pool.load.running,
        waiting=pool.load.waiting,
        late=pool.load.late,
        hindrance=None if pool.hindrance is None else pool.hindrance.text,
    )


def queue_row(row: Sequence[Any], *, now: int) -> QueueRow:
    """Shape a queue."""
    paused, limit = bool(row[4]), row[5]
    load = _load(row[10], row[11], row[12])
    polling = _recently(row[6], now)
    return QueueRow(
        id=row[0],
        name=row[1],
        description=row[2],
        priority=row[3],
        status=_status(paused=paused, polling=polling),
        paused=paused,
        limit=limit,
        load=load,
        last_polled=maybe_moment(row[6]),
        is_default=row[8] == row[0],
        pool_name=row[7],
        hindrance=_of_queue(row, paused=paused, polling=polling, limit=limit, load=load),
    )


def worker_row(row: Sequence[Any]) -> WorkerRow:
    """Shape a worker."""
    return WorkerRow(
        id=row[0],
        name=row[1],
        online=row[2] == "ONLINE",
        last_heard=from_micros(row[3]),
        interval=row[4],
        first_seen=from_micros(row[5]),
    )


def _recently(moment: int | None, now: int) -> bool:
    return moment is not None and now - moment <= _POLLED_WITHIN


def _status(*, paused: bool, polling: bool) -> Status:
    if paused:
        return "paused"
    return "ready" if polling else "unpolled"


def _load(running: int, waiting: int, late: int) -> Load:
    return Load(
        running=min(running, CAP),
        waiting=min(waiting, CAP),
        late=min(late, CAP),
        running_capped=running > CAP,
        waiting_capped=waiting > CAP,
    )


def _of_pool(
    name: str, *, paused: bool, polling: bool, limit: int | None, load: Load
) -> Hindrance | None:
    if paused:
        text = f"The pool {name} is paused: nothing more of it starts until it is resumed."
        return Hindrance(grave=False, text=text)
    if not polling:
        return Hindrance(
            grave=True,
            text=f"No worker polls the pool {name}, so nothing of it runs: start one.",
            commands=_starting(name),
        )
    return _full(f"The pool {name}", limit, load)


def _starting(name: str) -> tuple[str, ...]:
    """Commands that start somebody who polls a pool."""
    if name == _LOCAL:
        return ("armillary start",)
    pools = shlex.quote(f"{_LOCAL},{name}")
    return (
        f"prefect worker start --pool {shlex.quote(name)}",
        f"ARMILLARY_AGENT_POOLS={pools} armillary start",
    )


def _of_queue(
    row: Sequence[Any], *, paused: bool, polling: bool, limit: int | None, load: Load
) -> Hindrance | None:
    name, pool = row[1], row[7]
    if paused or row[9]:
        what = f"queue {name}" if paused else f"pool {pool}"
        text = f"The {what} is paused: nothing more of this queue starts until it is resumed."
        return Hindrance(grave=False, text=text)
    if not polling:
        text = f"No worker polls the queue {name}, so nothing of it runs: start one."
        named = f"--pool {shlex.quote(pool)} --work-queue {shlex.quote(name)}"
        command = f"prefect worker start {named}"
        return Hindrance(grave=True, text=text, commands=(command,))
    return _full(f"The queue {name}", limit, load)


def _full(what: str, limit: int | None, load: Load) -> Hindrance | None:
    if limit is None or load.running < limit:
        return None
    if limit == 0:
        text = f"{what} has a limit of 0, so nothing of it runs: raise it."
        return Hindrance(grave=True, text=text)
    text = f"{what} runs as many as it may ({limit}): others start as these end."
    return Hindrance(grave=False, text=text)
