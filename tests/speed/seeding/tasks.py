"""Task runs of flow runs, in levels of which each waits for the one before, and log lines."""

import random

import msgspec

from armillary.orchestration.policies import TaskRunPolicy
from tests.speed.seeding.events import TaskEvents
from tests.speed.seeding.rows import Rows
from tests.speed.seeding.shape import DAY, SECOND, Ids, Shape
from tests.speed.seeding.states import Run

_POLICY = msgspec.json.encode(TaskRunPolicy()).decode()
_TASK_ERROR = "Task run encountered an exception ValueError: no invoices for this day"
_INFO, _WARNING, _ERROR = 20, 30, 40
_DISPATCH = 2000
"""Microseconds a task run is pending."""


class TaskRuns:
    """Makes the task runs of one flow run after the other."""

    def __init__(self, shape: Shape, chance: random.Random, ids: Ids, rows: Rows) -> None:
        self._chance, self._ids, self._rows = chance, ids, rows
        self._now = shape.now
        self._logged_since = shape.now - shape.log_days * DAY
        self._announced_since = shape.now - DAY if shape.event_days else shape.now + DAY
        self._events = TaskEvents(rows)

    def make(self, run: Run, *, count: int, width: int) -> tuple[str, int] | None:
        """Make up to ``count`` that have begun; return one of them and when it was."""
        if run.start is None or not count:
            return None
        limit = min(run.stop, self._now)
        length = max((run.stop - run.start) // -(-count // width), 5 * _DISPATCH)
        labels = f'{{"prefect.flow.id":"{run.flow.id}","prefect.flow-run.id":"{run.id}"}}'
        keys = run.flow.tasks
        before: list[str] = []
        level: list[str] = []
        begun = None
        for place in range(count):
            if place % width == 0:
                before, level = level, []
            begin = run.start + place // width * length + place % width * 10 + 1000
            if begin + _DISPATCH >= limit:
                break
            end = begin + _DISPATCH + int(length * (0.1 + 0.6 * self._chance.random()))
            broken = run.head.type in ("FAILED", "CRASHED") and place == count - 1
            kind = run.head.type if broken else "COMPLETED"
            made = self._ids.at(begin)
            self._add(run, made, keys[place % len(keys)], times=(begin, min(end, run.stop)),
                      kind=kind, inputs=self._inputs(before), labels=labels)  # fmt: skip
            level.append(made)
            begun = (made, begin)
        return begun

    def _inputs(self, before: list[str]) -> str:
        if not before:
            return "{}"
        some = before if len(before) <= 2 else self._chance.sample(before, 2)
        found = ",".join(f'{{"input_type":"task_run","id":"{each}"}}' for each in some)
        return f'{{"data":[{found}]}}'

    def _add(
        self, run: Run, made: str, key: str, *, times: tuple[int, int], kind: str, inputs: str,
        labels: str,
    ) -> None:  # fmt: skip
        begin, end = times
        started = begin + _DISPATCH
        details = f'{{"flow_run_id":"{run.id}","task_run_id":"{made}"}}'
        at = self._ids.at
        message = _TASK_ERROR if kind != "COMPLETED" else ""
        states = [
            (at(begin), made, "PENDING", "Pending", begin, "", None, details),
            (at(started), made, "RUNNING", "Running", started, "", None, details),
        ]
        ended = end <= self._now
        if ended:
            name = kind.capitalize()
            states.append((at(end), made, kind, name, end, message, None, details))
        head = states[-1]
        self._rows.of["task_run_state"] += states
        name = f"{key[:-9]}-{made[-3:]}"
        self._rows.of["task_run"].append(
            (made, 1, begin, head[4], name, run.id, key, made, head[0], head[2], head[3], head[4],
             1, run.attempts, begin, started, end if ended else None,
             (end - started) / SECOND if ended else 0.0, _POLICY, inputs, "[]", labels)
        )  # fmt: skip
        if begin > self._announced_since:
            self._events.of_task_run(run, made, name, key, states)
        if ended and end > self._logged_since:
            level = _INFO if kind == "COMPLETED" else _ERROR
            text = f"Finished in state {head[3]}({message!r})"
            self._line(end, level, "prefect.task_runs", text, run.id, made)

    def lines(self, run: Run) -> None:
        """Write what the engine logs of a flow run, and now and then a warning."""
        if run.start is None or run.start < self._logged_since:
            return
        flow = run.flow.name
        start, name = run.start, "prefect.flow_runs"
        self._line(start, _INFO, "prefect.engine", f"Beginning flow run {run.name!r} for flow"
                   f" {flow!r}", run.id, None)  # fmt: skip
        if self._chance.random() < 0.2:
            text = f"Read {self._chance.randrange(100_000)} rows in slices, one was empty"
            self._line(start + 1000, _WARNING, name, text, run.id, None)
        if run.ended:
            level = _INFO if run.head.type == "COMPLETED" else _ERROR
            text = f"Finished in state {run.head.name}({run.head.message!r})"
            self._line(run.stop, level, name, text, run.id, None)

    def _line(  # noqa: PLR0917 - one row
        self, at: int, level: int, name: str, text: str, run: str, task_run: str | None
    ) -> None:
        self._rows.of["log"].append((1, at + 40_000, at, level, name, text, run, task_run))
