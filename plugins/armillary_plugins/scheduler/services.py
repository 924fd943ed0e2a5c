"""The loops that create scheduled runs."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta

from armillary import Core, Done, LoopService
from armillary.db.unit import Unit
from armillary.deployments.scheduling import Horizon, Scheduled, schedule_deployment
from armillary_plugins.scheduler import repository
from armillary_plugins.scheduler.config import Config
from armillary_plugins.scheduler.repository import Found

# Locked: who edits a deployment meanwhile would find runs of schedules that are no more.
_PAUSED = "select paused from deployment where id = ? {for_update}"


class _Scheduler(LoopService):
    def __init__(self, core: Core, config: Config, *, interval: float) -> None:
        super().__init__(core, interval=interval)
        self.config = config
        self.ahead = Horizon(
            min_runs=config.min_runs,
            max_runs=config.max_runs,
            min_time=timedelta(seconds=config.min_time),
            max_time=timedelta(seconds=config.max_time),
        )

    @abstractmethod
    async def find(self, after: str) -> list[Found]:
        """Find the next deployments, in the order of their ids."""

    async def run_once(self) -> Done:
        """Go through all that are found, page by page, each in a unit of its own."""
        found, changed, last = 0, 0, ""
        while page := await self.find(last):
            last = page[-1].deployment_id
            for deployment in self.each(page):
                found += 1
                changed += await self._schedule(deployment)
            if len(page) < self.config.deployments or self.stopping:
                break
        return Done(found=found, changed=changed)

    async def _schedule(self, deployment: Found) -> int:
        async def work(unit: Unit) -> Scheduled:
            paused = await unit.value(_PAUSED, deployment.deployment_id)
            if paused != 0:
                return Scheduled(0, ())
            return await schedule_deployment(
                self.core, unit, deployment.deployment_id, now=unit.now, ahead=self.ahead
            )

        scheduled = await self.core.database.write(work, workspace=deployment.workspace)
        for broken in scheduled.broken:
            self.log.warning(
                "schedule %s of deployment %s is left out: %s",
                broken.schedule_id,
                deployment.deployment_id,
                broken.reason,
            )
        return scheduled.created


class ScheduleDeployments(_Scheduler):
    """Schedules every deployment that has too little ahead."""

    name = "scheduler"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, config, interval=config.interval)

    async def find(self, after: str) -> list[Found]:
        """Find the next deployments that have too little ahead."""
        now = self.core.clock.micros()
        return await repository.wanting(
            self.core.database.read(None),
            after=after,
            now=now,
            min_runs=self.config.min_runs,
            until=now + int(self.config.min_time * 1e6),
            limit=self.config.deployments,
        )


class ScheduleRecentDeployments(_Scheduler):
    """Schedules deployments soon after they were changed."""

    name = "scheduler.recent"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, config, interval=config.recent_interval)
        self._overlap = 1.0

    async def find(self, after: str) -> list[Found]:
        """Find the next deployments that were changed since the last turn."""
        back = self.config.recent_interval * 1.2 + self._overlap
        return await repository.recent(
            self.core.database.read(None),
            after=after,
            since=self.core.clock.micros() - int(back * 1e6),
            limit=self.config.deployments,
        )
