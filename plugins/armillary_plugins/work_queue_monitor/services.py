"""The loop that watches whether work is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from armillary import Core, Done, LoopService
from armillary.db.unit import Reader, Row, Unit
from armillary.ids import Ids
from armillary_plugins.work_queue_monitor import repository
from armillary_plugins.work_queue_monitor.config import Config

Find: TypeAlias = Callable[[Reader], Awaitable[Sequence[Row]]]
Store: TypeAlias = Callable[[Unit, Ids, Row], Awaitable[None]]


class WatchWork(LoopService):
    """Finds what went quiet and stores what it became, each row in its own workspace."""

    name = "work_queue_monitor"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self.config = config

    async def run_once(self) -> Done:
        """Look at workers first: a pool depends on them."""
        config, now = self.config, self.core.clock.micros()
        queues_before = now - int(config.queue_polled_within * 1e6)
        deployments_before = now - int(config.deployment_polled_within * 1e6)
        changed = await self.core.database.write(self._workers, workspace=None)
        changed += await self._demote(repository.lonely_pools, repository.pool_not_ready)
        changed += await self._demote(
            lambda reader: repository.quiet_queues(reader, queues_before),
            repository.queue_not_ready,
        )
        changed += await self._demote(
            lambda reader: repository.quiet_deployments(reader, deployments_before),
            repository.deployment_not_ready,
        )
        return Done(found=changed, changed=changed)

    async def _workers(self, unit: Unit) -> int:
        await repository.hear_now(unit)
        return await repository.workers_offline(
            unit,
            heartbeats=self.config.heartbeats,
            interval=self.config.heartbeat_interval,
        )

    async def _demote(self, find: Find, store: Store) -> int:
        """Find rows of all workspaces, then look again and store within each of theirs."""
        rows = await find(self.core.database.read(None))
        for workspace in self.each(sorted({row[0] for row in rows})):

            async def work(unit: Unit, workspace: int = workspace) -> None:
                for row in await find(unit):
                    if row[0] == workspace:
                        await store(unit, self.core.ids, row)

            await self.core.database.write(work, workspace=workspace)
        return len(rows)
