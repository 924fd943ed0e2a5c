"""The pools an agent takes runs of: what is due in each, and how runs of it are started."""

from __future__ import annotations

import logging
from collections.abc import Container, Sequence
from typing import Any

import msgspec

from armillary.clock import Clock, from_micros
from armillary.ids import Ids
from armillary_plugins.agent.services.desk import Taken
from armillary_plugins.agent.services.link import Link, Turned

Json = Any
_BEAT = 30.0
_FRESH = 20.0
"""Seconds for which what is known of a pool holds."""
_AHEAD = 0.5
_MOST = 100
_KIND = "process"
_log = logging.getLogger("armillary_plugins.agent")


class Pool(msgspec.Struct):
    """A pool, or one queue of it, and what is known of it."""

    name: str
    queue: str
    template: dict[str, Json] = {}
    looked: float = float("-inf")
    beaten: float = float("-inf")
    complaint: str = ""


class Pools:
    """Looks for runs in each; what is wrong with one keeps nobody from the others."""

    def __init__(self, link: Link, clock: Clock, ids: Ids, *, names: Sequence[str]) -> None:
        self._link = link
        self._clock = clock
        self._ids = ids
        parts = [name.partition("/") for name in names]
        self.pools = [Pool(name=pool, queue=queue) for pool, _, queue in parts]

    async def due(
        self, *, room: int, within: float, known: Container[str], title: str
    ) -> list[Taken]:
        """Return runs that are due within some seconds, as many as there is room for."""
        taken: list[Taken] = []
        for pool in self.pools:
            if len(taken) >= room:
                break
            try:
                await self._keep_up(pool, title)
                found = await self._ask(pool, limit=room - len(taken), within=within)
            except Turned as error:
                self._complain(pool, str(error))
                continue
            self._complain(pool, "")
            taken += [
                Taken(run=run, claim=self._ids.uuid4(), pool=pool.name, template=pool.template)
                for run in found
                if run["id"] not in known
            ]
        return taken

    async def _keep_up(self, pool: Pool, title: str) -> None:
        """Know the pool as it is, and be seen among its workers."""
        now = self._clock.monotonic()
        if now - pool.looked >= _FRESH:
            found = await self._link.ask("GET", f"/work_pools/{pool.name}")
            if found["type"] != _KIND:
                raise Turned(
                    409,
                    f"the work pool {pool.name!r} is of type {found['type']}, and an agent runs "
                    f"those of type {_KIND}",
                )
            pool.template = found.get("base_job_template") or {}
            pool.looked = now
        if now - pool.beaten >= _BEAT:
            body = {"name": f"agent {title}", "heartbeat_interval_seconds": int(_BEAT)}
            await self._link.ask("POST", f"/work_pools/{pool.name}/workers/heartbeat", body)
            pool.beaten = now

    async def _ask(self, pool: Pool, *, limit: int, within: float) -> list[dict[str, Json]]:
        ahead = int((within + _AHEAD) * 1_000_000)
        found = await self._link.ask(
            "POST",
            f"/work_pools/{pool.name}/get_scheduled_flow_runs",
            {
                "work_queue_names": [pool.queue] if pool.queue else None,
                "scheduled_before": from_micros(self._clock.micros() + ahead),
                "limit": min(limit, _MOST),
            },
        )
        return [each["flow_run"] for each in found]

    def _complain(self, pool: Pool, complaint: str) -> None:
        """Say once what keeps runs of a pool from being taken, and once that it is over."""
        if complaint == pool.complaint:
            return
        if complaint:
            _log.warning("nothing is taken of the pool %s: %s", pool.name, complaint)
        else:
            _log.info("runs of the pool %s are taken again", pool.name)
        pool.complaint = complaint
