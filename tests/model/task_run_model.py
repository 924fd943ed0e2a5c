"""Task runs over REST as spec/orchestration.md has them (2.9), rule after rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.model.runs import SECOND, Outcome, Run, State, copied, wait_seconds

UNCLAIMABLE = {"PENDING", "RUNNING", "CANCELLING", "CANCELLED"}
LONGEST_KEY = 2000
ANY_DELAY = -1
"""How long to wait for a slot of a tag is left to chance."""


@dataclass
class FlowRun:
    """What task runs know of the flow run they belong to."""

    id: str
    state: State
    run_count: int


@dataclass
class TaskRun(Run):
    flow_run: FlowRun | None = None
    tags: tuple[str, ...] = ()
    retries: int | None = None
    delay: Any = None
    flow_attempt: int = 0


@dataclass
class Limit:
    value: int
    active: bool = True
    holders: list[str] = field(default_factory=list)


@dataclass
class Cached:
    key: str
    expires: int | None
    state: State


@dataclass
class Turn:
    """One proposal, as the rules see it."""

    run: TaskRun
    initial: State
    proposed: State
    now: int

    @property
    def pair(self) -> tuple[str, str]:
        return self.initial.type, self.proposed.type


Rule = Callable[[Turn], Outcome | None]


class TaskRunModel:
    """All task runs, the slots of their tags, and what is cached."""

    def __init__(self) -> None:
        self.flow_runs: list[FlowRun] = []
        self.runs: dict[str, TaskRun] = {}
        self.limits: dict[str, Limit] = {}
        self.cache: list[Cached] = []

    def propose(self, run: TaskRun, proposed: State, *, force: bool, now: int) -> Outcome:
        """Decide, and make it so."""
        if proposed.type == "SCHEDULED" and proposed.get("scheduled_time") is None:
            proposed.details["scheduled_time"] = now
        turn = Turn(run, run.state or State("", ""), proposed, now)
        count = run.run_count
        held = {tag for tag, limit in self.limits.items() if run.id in limit.holders}
        rules = self._rules(deferred=bool(proposed.get("deferred")), force=force)
        outcome = Outcome("ACCEPT", proposed)
        for rule in rules:
            if found := rule(turn):
                outcome = found
                break
        if outcome.status != "ACCEPT" and outcome.state is not proposed:
            run.run_count = count
            for tag, limit in self.limits.items():
                if tag not in held and run.id in limit.holders:
                    limit.holders.remove(run.id)
        if outcome.state is not None:
            self._write(turn, outcome.state, tracked=bool(rules))
        return outcome

    def _rules(self, *, deferred: bool, force: bool) -> tuple[Rule, ...]:
        if deferred:
            return (
                self._claimed, self._cached, self._ended, self._copied_time, self._parameters,
                self._wait, self._retry, self._renamed, self._long_key,
            )  # fmt: skip
        if force:
            return ()
        return (
            self._cached, self._ended, self._in_flow, self._slots, self._copied_time, self._wait,
            self._retry, self._renamed, self._long_key,
        )  # fmt: skip

    @staticmethod
    def _claimed(turn: Turn) -> Outcome | None:
        initial, proposed = turn.initial, turn.proposed
        if proposed.type != "PENDING" or initial.type not in UNCLAIMABLE:
            return None
        if initial.type != "PENDING" or proposed.name in {initial.name, "Pending"}:
            return Outcome("ABORT")
        proposed.details["scheduled_time"] = initial.get("scheduled_time")
        return None

    def _cached(self, turn: Turn) -> Outcome | None:  # 1
        key = turn.proposed.get("cache_key")
        if turn.proposed.type != "RUNNING" or not key or turn.proposed.get("refresh_cache"):
            return None
        for each in reversed(self.cache):
            if each.key == key and (each.expires is None or each.expires > turn.now):
                state = copied(each.state)
                state.name = "Cached"
                return Outcome("REJECT", state)
        return None

    @staticmethod
    def _ended(turn: Turn) -> Outcome | None:  # 2
        run, initial, proposed = turn.run, turn.initial, turn.proposed
        if not initial.terminal:
            return None
        if proposed.type in {"CANCELLING", "PAUSED", "CRASHED"}:
            return Outcome("ABORT")
        if initial.type == "COMPLETED" and initial.persisted:
            return Outcome("REJECT")
        if not proposed.terminal:
            run.run_count = 0
        flow_run = run.flow_run
        if proposed.type == "RUNNING" and flow_run and flow_run.run_count > run.flow_attempt:
            proposed.name = "Retrying"
        return None

    @staticmethod
    def _in_flow(turn: Turn) -> Outcome | None:  # 3
        flow_run = turn.run.flow_run
        if turn.proposed.type != "RUNNING" or flow_run is None or flow_run.state.type == "RUNNING":
            return None
        if flow_run.state.type != "PAUSED":
            return Outcome("ABORT")
        carried = ("pause_timeout", "pause_reschedule")
        details = {key: flow_run.state.get(key) for key in carried}
        return Outcome("REJECT", State("PAUSED", "NotReady", "*", details=details))

    def _slots(self, turn: Turn) -> Outcome | None:  # 4
        if turn.proposed.type != "RUNNING":
            return None
        named = [self.limits[tag] for tag in turn.run.tags if tag in self.limits]
        wanted = [each for each in named if each.active and turn.run.id not in each.holders]
        if any(each.value == 0 for each in wanted):
            return Outcome("ABORT")
        if any(len(each.holders) + 1 > each.value for each in wanted):
            return Outcome("WAIT", wait=ANY_DELAY)
        for each in wanted:
            each.holders.append(turn.run.id)
        return None

    @staticmethod
    def _copied_time(turn: Turn) -> None:  # 5
        if turn.pair == ("SCHEDULED", "PENDING") and turn.proposed.get("scheduled_time") is None:
            turn.proposed.details["scheduled_time"] = turn.initial.get("scheduled_time")

    @staticmethod
    def _parameters(turn: Turn) -> None:
        under_way = turn.initial.type in {"SCHEDULED", "PENDING"}
        brings = turn.proposed.get("task_parameters_id") is not None
        if under_way and turn.proposed.type in {"PENDING", "RUNNING"} and not brings:
            kept = turn.initial.get("task_parameters_id")
            turn.proposed.details["task_parameters_id"] = kept

    @staticmethod
    def _wait(turn: Turn) -> Outcome | None:  # 6
        if turn.pair not in {("SCHEDULED", "RUNNING"), ("PENDING", "RUNNING")}:
            return None
        seconds = wait_seconds(turn.initial, turn.now)
        return Outcome("WAIT", wait=seconds) if seconds else None

    @staticmethod
    def _retry(turn: Turn) -> Outcome | None:  # 7
        run, proposed = turn.run, turn.proposed
        if turn.pair != ("RUNNING", "FAILED") or proposed.get("retriable") is False:
            return None
        if run.retries is None or run.run_count > run.retries:
            return None
        delay = run.delay or 0
        if isinstance(delay, list):
            delay = delay[min(run.run_count - 1, len(delay) - 1)]
        state = State("SCHEDULED", "AwaitingRetry", proposed.message, proposed.data)
        state.details["scheduled_time"] = turn.now + round(delay * SECOND)
        return Outcome("REJECT", state)

    @staticmethod
    def _renamed(turn: Turn) -> None:  # 8
        if turn.proposed.type == "RUNNING" and turn.run.run_count > 0:
            again = turn.initial.name == "AwaitingRetry"
            turn.proposed.name = "Retrying" if again else "Rerunning"

    @staticmethod
    def _long_key(turn: Turn) -> Outcome | None:  # 10
        key = turn.proposed.get("cache_key") or ""
        if turn.proposed.type == "COMPLETED" and len(key) > LONGEST_KEY:
            return Outcome("REJECT", turn.proposed)
        return None

    def _write(self, turn: Turn, new: State, *, tracked: bool) -> None:
        run = turn.run
        run.columns(new, turn.now)
        if new.type == "RUNNING":
            run.run_count += 1
        if tracked and new.type == "RUNNING" and run.flow_run:  # 9
            run.flow_attempt = run.flow_run.run_count
        if tracked and turn.proposed is new and new.type == "COMPLETED" and new.get("cache_key"):
            self.cache.append(Cached(new.get("cache_key"), new.get("cache_expiration"), new))
        if new.type not in {"RUNNING", "CANCELLING"}:  # 11
            for tag in run.tags:
                limit = self.limits.get(tag)
                if limit and run.id in limit.holders:
                    limit.holders.remove(run.id)
