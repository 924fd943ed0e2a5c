"""Sample data for the pages of work pools and queues."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from armillary_plugins.ui.pool_schemas import (
    Hindrance,
    LimitForm,
    Load,
    PoolDetail,
    PoolPage,
    PoolRow,
    QueueRow,
    WorkerRow,
)
from armillary_web.pages import TwinPaths
from armillary_web.shell import Shell

_ID = "0199b1c2-9a00-7c1d-8f2e-5b7a6c3d1e"
_NAMES = ("k8s-eu", "local", "gpu-and-other-rare-machines-of-the-cellar")
_TWINS = TwinPaths(json_path="/work-pools.json", csv_path="/work-pools.csv")


def pool_row(now: datetime, index: int = 0, **changes: Any) -> PoolRow:
    status = ("ready", "paused", "unpolled")[index % 3]
    given: dict[str, Any] = {
        "id": f"{_ID}{index:02d}",
        "name": _NAMES[index % 3],
        "type": ("kubernetes", "process", "docker")[index % 3],
        "description": "Nightly work" if index else None,
        "status": status,
        "paused": status == "paused",
        "limit": 20 if index == 0 else None,
        "load": Load(running=4, waiting=12, late=3, waiting_capped=index == 2),
        "workers": 3,
        "workers_online": 2 if status == "ready" else 0,
        "queues": 3,
        "last_heard": now - timedelta(seconds=12) if index < 2 else None,
        "created": now - timedelta(days=40),
        "hindrance": Hindrance(
            grave=True,
            text="No worker polls the pool gpu, so nothing of it runs: start one.",
            commands=("prefect worker start --pool gpu",),
        )
        if status == "unpolled"
        else None,
    }
    return PoolRow(**(given | changes))


def queue_row(now: datetime, index: int = 0, **changes: Any) -> QueueRow:
    given: dict[str, Any] = {
        "id": f"{_ID}{index + 10:02d}",
        "name": ("default", "fast", "whenever-there-is-time")[index % 3],
        "description": "" if index else "Where runs go",
        "priority": index + 1,
        "status": ("ready", "paused", "unpolled")[index % 3],
        "paused": index % 3 == 1,
        "limit": 2 if index == 1 else None,
        "load": Load(running=index, waiting=index * 2),
        "last_polled": now - timedelta(seconds=3) if index < 2 else None,
        "is_default": index == 0,
        "pool_name": "k8s-eu",
        "hindrance": Hindrance(grave=False, text="The queue fast is paused.") if index else None,
    }
    return QueueRow(**(given | changes))


def worker_row(now: datetime, index: int = 0, **changes: Any) -> WorkerRow:
    given: dict[str, Any] = {
        "id": f"{_ID}{index + 20:02d}",
        "name": f"ProcessWorker {index}",
        "online": index == 0,
        "last_heard": now - timedelta(seconds=12 + 900 * index),
        "interval": 30 if index == 0 else None,
        "first_seen": now - timedelta(days=3),
    }
    return WorkerRow(**(given | changes))


def pool_page(now: datetime, **changes: Any) -> PoolPage:
    given: dict[str, Any] = {
        "rows": tuple(pool_row(now, index) for index in range(3)),
        "live_path": "/ui/fragments/work-pools",
        "twins": _TWINS,
        "back": "/work-pools",
        "next_path": "/work-pools?after=local",
    }
    return PoolPage(**(given | changes))


def pool_detail(now: datetime, **changes: Any) -> PoolDetail:
    given: dict[str, Any] = {
        "pool": pool_row(now, 2),
        "queues": tuple(queue_row(now, index) for index in range(3)),
        "workers": tuple(worker_row(now, index) for index in range(2)),
        "live_path": "/ui/fragments/work-pools/work-pool/k8s-eu",
        "back": "/work-pools/work-pool/k8s-eu",
        "queue_twins": _TWINS,
        "worker_twins": _TWINS,
        "more_queues": 7,
        "more_workers": 1,
    }
    return PoolDetail(**(given | changes))


def pages(shell: Shell, now: datetime) -> dict[str, dict[str, Any]]:
    """Every page and fragment about pools with the context it expects."""
    form = LimitForm(
        limit="-3", limit_error="The limit is -3, but has to be 0 or more.", priority="1"
    )
    pool = {"detail": pool_detail(now), "now": now}
    queue = {"queue": queue_row(now, 1), "now": now}
    return {
        "ui/pools.html": {"shell": shell, "page": pool_page(now), "now": now},
        "ui/_pools.html": {"page": pool_page(now), "now": now},
        "ui/pool.html": {"shell": shell, "form": form} | pool,
        "ui/_pool.html": pool,
        "ui/queue.html": {"shell": shell, "form": form} | queue,
        "ui/_queue.html": queue,
    }
