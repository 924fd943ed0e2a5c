"""Flow runs: those of the past in the order of time, those ahead, and one with many task runs."""

import json
import math
import random
from bisect import bisect
from collections.abc import Iterator

import msgspec

from armillary.deployments.schedules import idempotency_key
from armillary.orchestration.policies import FlowRunPolicy
from tests.speed.seeding.catalog import Catalog, Deployment
from tests.speed.seeding.events import Events
from tests.speed.seeding.rows import Rows
from tests.speed.seeding.shape import DAY, HOUR, SECOND, Ids, Shape, declining
from tests.speed.seeding.states import Courses, Run, State, iso, moment_of
from tests.speed.seeding.tasks import TaskRuns

_POLICY = msgspec.json.encode(FlowRunPolicy()).decode()
_CREATED_BY = '{"id":"%s","type":"SCHEDULE","display_value":"IntervalSchedule"}'
_COUNTS = (0.2, 0.5, 0.8, 1.0, 1.2, 2.3)
"""Of task runs, by their average."""
_SWING = 0.7
"""How much busier days are than nights; less than 1."""


class Runs:
    """Makes every flow run with all that hangs below it."""

    def __init__(self, shape: Shape, rows: Rows) -> None:
        self._shape, self._rows = shape, rows
        self._chance = random.Random(shape.seed)  # noqa: S311 - the same rows each time
        self._ids = Ids(self._chance)
        self.catalog = Catalog(shape, self._chance, self._ids, rows)
        self._courses = Courses(self._chance, self._ids, now=shape.now)
        self._tasks = TaskRuns(shape, self._chance, self._ids, rows)
        self._events = Events(rows)
        self._tags = {each.id: json.dumps(each.tags) for each in self.catalog.deployments}
        self._number = 0
        self._parent: tuple[str, int] = ("", 0)
        self.failed = ""
        """The newest run that failed."""
        self.graph = ""
        """The run with many task runs."""

    def make(self) -> Iterator[None]:
        """Make all, pausing after each run so that rows can be taken."""
        yield from self._past()
        yield from self._ahead()
        if self._shape.graph:
            self.graph = self._wide()
            yield

    def _past(self) -> Iterator[None]:
        shape, chance = self._shape, self._chance
        deployments, ranks = self.catalog.deployments, declining(shape.deployments)
        lasting = min(shape.runs // 10, 2 + shape.runs // 20_000)
        for place in range(shape.runs):
            at = self._time((place + chance.random()) / shape.runs)
            lasts = place >= shape.runs - lasting
            if place % 25 == 24 and self._parent[1] > at - 2 * HOUR and not lasts:
                self._finish(self._child())
            elif chance.random() < 0.15:
                self._finish(self._past_run(at, None, lasts=lasts))
            else:
                deployment = deployments[min(bisect(ranks, chance.random()), len(ranks) - 1)]
                self._finish(self._past_run(at, deployment, lasts=lasts))
            yield

    def _time(self, share: float) -> int:
        """Place a share of the runs in time: days are busier than nights, and the last one ends.

        No two that would lie ahead are at one moment, which would be one slot of a schedule.
        """
        now, turn = self._shape.now, 2 * math.pi / DAY
        even = now - self._shape.days * DAY * (1 - share)
        moved = _SWING / turn * (math.sin(even * turn) - math.sin(now * turn))
        return min(int(even + moved), now - 10 * SECOND - self._number)

    def _past_run(
        self, at: int, deployment: Deployment | None, *, lasts: bool = False, parent: str = ""
    ) -> Run:
        auto = deployment is not None and self._chance.random() < 0.7
        course = self._courses.draw(at, scheduled=deployment is not None, auto=auto, lasts=lasts)
        states = self._courses.states(course)
        flow = deployment.flow if deployment else self._chance.choice(self.catalog.flows)
        own = deployment.tags if deployment else (self._chance.choice(self.catalog.tags),)
        self._number += 1
        return Run(
            id=self._ids.at(course.created),
            name=f"run-{self._number}",
            flow=flow,
            deployment=deployment,
            auto=auto,
            tags=("auto-scheduled", *own) if auto else own,
            expected=at,
            start=course.start + 1000,
            stop=course.stop,
            ended=course.stop <= self._shape.now,
            attempts=2 if any(state.name == "Retrying" for state in states) else 1,
            states=tuple(states),
            parent=parent or None,
        )

    def _child(self) -> Run:
        """A run that a task run of an earlier one has begun."""
        parent, began = self._parent
        return self._past_run(began + 3000, None, parent=parent)

    def _finish(self, run: Run, *, count: int | None = None, width: int = 2) -> None:
        shape = self._shape
        self._add(run)
        if count is None:
            count = round(shape.tasks * self._chance.choice(_COUNTS))
        begun = self._tasks.make(run, count=count, width=width)
        if begun is not None and run.parent is None and begun[1] < shape.now - HOUR:
            self._parent = begun
        self._tasks.lines(run)
        if run.head.type == "FAILED":
            self.failed = run.id
        if run.expected > shape.now - shape.event_days * DAY:
            self._events.of_flow_run(run)

    def _ahead(self) -> Iterator[None]:
        shape, deployments = self._shape, self.catalog.deployments
        given = 0
        for place, deployment in enumerate(deployments):
            more = place < shape.scheduled % len(deployments)
            count = shape.scheduled // len(deployments) + more
            late = (given + count) // 50 - given // 50
            given += count
            for turn in range(-late, count - late):
                moment = deployment.anchor + turn * deployment.interval
                self._add(self._waiting(deployment, moment))
                yield

    def _waiting(self, deployment: Deployment, moment: int) -> Run:
        states = self._courses.waiting(moment)
        self._number += 1
        return Run(
            id=self._ids.at(states[0].timestamp),
            name=f"run-{self._number}",
            flow=deployment.flow,
            deployment=deployment,
            auto=True,
            tags=("auto-scheduled", *deployment.tags),
            expected=moment,
            start=None,
            stop=moment,
            ended=False,
            attempts=0,
            states=tuple(states),
        )

    def _wide(self) -> str:
        """One more run, half an hour long, of as many task runs as were asked for."""
        at = self._shape.now - 2 * HOUR
        stop = at + HOUR
        states = (
            State(self._ids.at(at), "PENDING", "Pending", at, None),
            State(self._ids.at(at + SECOND), "RUNNING", "Running", at + SECOND, None),
            State(self._ids.at(stop), "COMPLETED", "Completed", stop, "All states completed."),
        )
        run = Run(
            id=self._ids.at(at), name="wide", flow=self.catalog.flows[0], deployment=None,
            auto=False, tags=("wide",), expected=at, start=at + SECOND, stop=stop, ended=True,
            attempts=1, states=states,
        )  # fmt: skip
        self._finish(run, count=self._shape.graph, width=50)
        return run.id

    def _add(self, run: Run) -> None:
        head, deployment = run.head, run.deployment
        created, updated = run.states[0].timestamp, head.timestamp
        labels = f'{{"prefect.flow.id":"{run.flow.id}"'
        queue_id = queue_name = key = schedule = created_by = None
        if deployment is not None:
            labels += f',"prefect.deployment.id":"{deployment.id}"'
            queue_id, queue_name = deployment.queue.id, deployment.queue.name
            if run.auto:
                schedule = deployment.schedule_id
                key = idempotency_key(deployment.id, schedule, moment_of(run.expected))
                created_by = _CREATED_BY % schedule
        seconds = (run.stop - run.start) / SECOND if run.start and run.ended else 0.0
        self._rows.of["flow_run"].append(
            (run.id, 1, created, updated, run.name, run.flow.id, head.id, head.type, head.name,
             head.timestamp, deployment and deployment.id, queue_id, queue_name, key, run.parent,
             schedule, run.attempts, run.expected,
             run.expected if head.type == "SCHEDULED" else None, run.start,
             run.stop if run.ended else None, seconds, int(run.auto), _POLICY,
             '{"day":"2026-11-22"}' if deployment else "{}", "{}", json.dumps(run.tags),
             labels + "}", "{}", created_by)
        )  # fmt: skip
        tags = self._rows.of["flow_run_tag"]
        started = run.start or run.expected
        tags += [(1, tag, run.expected, run.id, head.type, head.name, started) for tag in run.tags]
        rows = self._rows.of["flow_run_state"]
        for state in run.states:
            details = f'{{"flow_run_id":"{run.id}"'
            if state.type == "SCHEDULED":
                details += f',"scheduled_time":"{iso(run.expected)}"'
            rows.append(
                (state.id, run.id, state.type, state.name, state.timestamp, state.message, None,
                 details + "}")
            )  # fmt: skip
