"""Deployments with schedules and the runs that these should have (5.2 to 5.8)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.model.schedule_slots import MIN_RUNS, MIN_TIME, horizon


@dataclass
class Schedule:
    id: str
    rule: dict[str, Any]
    active: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)
    slug: str | None = None


@dataclass
class Run:
    """A run of a deployment; one without a schedule was asked for by somebody."""

    deployment: str
    at: datetime
    schedule: str | None = None
    slot: tuple[str, datetime] | None = None
    """What makes it the run of its slot, whatever becomes of it."""
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    type: str = "SCHEDULED"
    name: str = "Scheduled"
    started: bool = False
    id: str = ""

    @property
    def auto(self) -> bool:
        return self.schedule is not None

    @property
    def unclaimed(self) -> bool:
        waits = self.type == "SCHEDULED" and self.name != "AwaitingConcurrencySlot"
        return waits and not self.started

    def shown(self) -> tuple[Any, ...]:
        return (
            self.deployment, self.at, self.schedule, repr(sorted(self.parameters.items())),
            self.tags, self.type, self.name,
        )  # fmt: skip


@dataclass
class Deployment:
    id: str
    schedules: list[Schedule] = field(default_factory=list)
    paused: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    def slugged(self, slug: str | None) -> Schedule | None:
        return next((each for each in self.schedules if slug and each.slug == slug), None)


class ScheduleModel:
    def __init__(self) -> None:
        self.deployments: dict[str, Deployment] = {}
        self.runs: list[Run] = []

    def fill(self, deployment: Deployment, now: datetime) -> None:
        """One run for each slot within reach that has none."""
        taken = {run.slot for run in self.runs}
        for schedule in deployment.schedules:
            if not schedule.active:
                continue
            for moment in horizon(schedule.rule, now):
                slot = (schedule.id, moment)
                if slot not in taken:
                    parameters = {**deployment.parameters, **schedule.parameters}
                    tags = ("auto-scheduled", *deployment.tags)
                    self.runs.append(
                        Run(deployment.id, moment, schedule.id, slot, parameters, tags)
                    )

    def fill_unpaused(self, deployment: Deployment, now: datetime) -> None:
        if not deployment.paused:
            self.fill(deployment, now)

    def clear(
        self, deployment: Deployment, *, auto: bool = True, after: datetime | None = None
    ) -> None:
        """Delete what nobody has claimed (5.6)."""
        self.runs = [
            run
            for run in self.runs
            if not (
                run.deployment == deployment.id
                and run.unclaimed
                and (run.auto or not auto)
                and (after is None or run.at > after)
            )
        ]

    def needy(self, deployment: Deployment, now: datetime) -> bool:
        """Whether the main loop looks at a deployment."""
        if deployment.paused:
            return False
        for schedule in deployment.schedules:
            ahead = [
                run.at
                for run in self.runs
                if run.schedule == schedule.id and run.type == "SCHEDULED" and run.at >= now
            ]
            few = len(ahead) < MIN_RUNS or max(ahead) < now + MIN_TIME
            if schedule.active and few:
                return True
        return False

    def shown(self) -> Counter[tuple[Any, ...]]:
        return Counter(run.shown() for run in self.runs)
