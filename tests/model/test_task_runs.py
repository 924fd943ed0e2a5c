"""Task runs that are orchestrated over REST, their caches and tags, against the model."""

from __future__ import annotations

import sys
from copy import deepcopy
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.model import wire
from tests.model.effort import effort
from tests.model.runs import KEPT, SECOND, UNPERSISTED, Outcome, State, copied
from tests.model.server import Request, Server
from tests.model.task_run_model import ANY_DELAY, FlowRun, Limit, TaskRun, TaskRunModel

START = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
NAMES = {
    "SCHEDULED": ("Scheduled", "AwaitingRetry"),
    "PENDING": ("Pending", "Submitting"),
    "RUNNING": ("Running",),
    "PAUSED": ("Paused",),
    "COMPLETED": ("Completed",),
    "FAILED": ("Failed",),
    "CANCELLED": ("Cancelled",),
    "CRASHED": ("Crashed",),
    "CANCELLING": ("Cancelling",),
}
USUAL = ("PENDING", "RUNNING", "RUNNING", "RUNNING", "FAILED", "SCHEDULED", "COMPLETED")
AHEAD = (-5.0, 0.4, 0.5, 1.5, 2.6, 20.0)
TAGS = ("a", "b")
IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
RUN = st.integers(0, 9)
MOST = 8
LIVES = [("RUNNING", "COMPLETED"), ("RUNNING", "FAILED", "RUNNING")]


@st.composite
def proposals(draw: st.DrawFn, now: int) -> State:
    kind = draw(st.sampled_from(USUAL) | st.sampled_from(sorted(NAMES)))
    state = State(kind, draw(st.sampled_from(NAMES[kind])))
    state.message = draw(st.sampled_from([None, "m"]))
    moments = st.sampled_from([now + round(each * SECOND) for each in AHEAD])
    if kind in {"COMPLETED", "FAILED"}:
        state.data = draw(st.sampled_from([None, KEPT, UNPERSISTED]))
        state.details["retriable"] = draw(st.sampled_from([None, True, False]))
    if kind == "SCHEDULED" or draw(st.integers(0, 19)) == 0:
        state.details["scheduled_time"] = draw(st.none() | moments)
    if kind in {"RUNNING", "COMPLETED"}:
        keys = st.sampled_from([None, None, "k", "l", "x" * 2001])
        state.details["cache_key"] = draw(keys)
        state.details["refresh_cache"] = draw(st.sampled_from([None, False, True]))
        state.details["cache_expiration"] = draw(st.none() | moments)
    state.details["deferred"] = draw(st.sampled_from([False] * 5 + [True]))
    state.details["task_parameters_id"] = draw(st.sampled_from([None, *IDS]))
    return state


class TaskRuns(RuleBasedStateMachine):
    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.server.begin(START)
        self.model = TaskRunModel()
        self.number = 0

    @property
    def now(self) -> int:
        return self.server.clock.micros()

    @property
    def flow_runs(self) -> list[FlowRun]:
        return self.model.flow_runs

    @property
    def runs(self) -> list[TaskRun]:
        return list(self.model.runs.values())

    def pick(self, place: int) -> TaskRun:
        return self.runs[place % len(self.runs)]

    def some(self) -> bool:
        return bool(self.runs)

    @initialize(
        limits=st.lists(st.integers(0, 2), min_size=2, max_size=2),
        retries=st.lists(st.sampled_from([None, 0, 1, 2]), min_size=4, max_size=4),
    )
    def begin(self, limits: list[int], retries: list[int | None]) -> None:
        for tag, value in zip(TAGS, limits, strict=True):
            body = {"tag": tag, "concurrency_limit": value}
            self.server.ok("POST", "/concurrency_limits/", body)
            self.model.limits[tag] = Limit(value)
        flow = self.server.ok("POST", "/flows/", {"name": "f"})["id"]
        for _ in range(2):
            body = {"flow_id": flow, "state": {"type": "RUNNING"}}
            made = self.server.ok("POST", "/flow_runs/", body)
            self.flow_runs.append(FlowRun(made["id"], State("RUNNING", "Running"), 1))
        for number, each in enumerate(retries):
            where = (None, 0, 0, 1)[number]
            tags = (["a"], ["a", "b"], ["b", "c"], [])[number]
            self.make(State("PENDING", "Pending"), where, tags, each, [1, 4])

    @precondition(lambda self: len(self.runs) < MOST)
    @rule(
        data=st.data(),
        where=st.sampled_from([None, 0, 0, 1]),
        tags=st.lists(st.sampled_from([*TAGS, "c"]), unique=True, max_size=3),
        retries=st.sampled_from([None, 0, 1, 2]),
        delay=st.sampled_from([None, 0, 3, 1.5, [1, 4], [2]]),
    )
    def create(
        self,
        data: st.DataObject,
        where: int | None,
        tags: list[str],
        retries: int | None,
        delay: Any,
    ) -> None:
        state = data.draw(st.just(State("PENDING", "Pending")) | proposals(self.now))
        self.make(state, where, tags, retries, delay)

    def make(
        self, state: State, where: int | None, tags: list[str], retries: int | None, delay: Any
    ) -> None:
        flow_run = None if where is None else self.flow_runs[where]
        self.number += 1
        body = {
            "flow_run_id": flow_run.id if flow_run else None, "name": "t", "task_key": "t",
            "dynamic_key": str(self.number), "tags": tags, "state": wire.body(state),
            "empirical_policy": {"retries": retries, "retry_delay": delay},
        }  # fmt: skip
        status, answer = self.server.call("POST", "/task_runs/", body)
        assert status == 201
        run = TaskRun(
            answer["id"], flow_run=flow_run, tags=tuple(tags), retries=retries, delay=delay
        )
        self.model.runs[run.id] = run
        self.model.propose(run, copied(state), force=True, now=self.now)
        if run.state is not None:
            run.state.id = answer["state_id"]
        self.compare()

    @precondition(some)
    @rule(data=st.data(), place=RUN, times=st.integers(1, 4), force=st.integers(0, 9))
    def propose(self, data: st.DataObject, place: int, times: int, force: int) -> None:
        """The same run several times: what follows on what is what rules are about."""
        for time in range(times):
            state = data.draw(proposals(self.now))
            self.ask(self.pick(place), state, force=force == time)

    @precondition(some)
    @rule(
        place=RUN,
        kinds=st.sampled_from(LIVES),
    )
    def go_on(self, place: int, kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            self.ask(self.pick(place), State(kind, kind.capitalize()), force=False)

    @precondition(some)
    @rule(data=st.data(), places=st.lists(RUN, min_size=2, max_size=3))
    def propose_together(self, data: st.DataObject, places: list[int]) -> None:
        """What comes of it is what comes of it in some order."""
        starts = st.just(State("RUNNING", "Running"))
        asked = [(self.pick(place).id, data.draw(starts | proposals(self.now))) for place in places]
        requests = [self.request(run_id, state, force=False) for run_id, state in asked]
        answers = self.server.together(requests)
        before, failures = self.model, []
        for order in permutations(range(len(asked))):
            self.model = deepcopy(before)
            try:
                for place in order:
                    run_id, state = asked[place]
                    self.answered(self.model.runs[run_id], state, answers[place])
                self.compare()
            except AssertionError as failure:
                failures.append(f"{order}: {failure}")
            else:
                return
        raise AssertionError(f"no order explains {answers}:\n" + "\n".join(failures))

    @staticmethod
    def request(run_id: str, proposed: State, *, force: bool) -> Request:
        body = {"state": wire.body(proposed), "force": force}
        return "POST", f"/task_runs/{run_id}/set_state", body, {}

    def ask(self, run: TaskRun, proposed: State, *, force: bool) -> None:
        answer = self.server.call(*self.request(run.id, proposed, force=force))
        self.answered(run, proposed, answer, force=force)
        self.compare()

    def answered(
        self, run: TaskRun, proposed: State, answered: tuple[int, Any], *, force: bool = False
    ) -> None:
        status, answer = answered
        outcome = self.model.propose(run, copied(proposed), force=force, now=self.now)
        wire.same(answer["status"], outcome.status, (answer, run.state))
        assert status == (200 if outcome.state is None else 201)
        self.compare_wait(outcome, answer)
        if outcome.state is not None:
            outcome.state.id = answer["state"]["id"]
        if run.state is None:
            assert answer["state"] is None
        else:
            seen = wire.state_seen(answer["state"], run.state)
            wire.same(seen, wire.state_document(run.state), proposed)

    @staticmethod
    def compare_wait(outcome: Outcome, answer: dict[str, Any]) -> None:
        if outcome.status == "WAIT" and outcome.wait == ANY_DELAY:
            assert 0 <= answer["details"]["delay_seconds"] <= 13
        elif outcome.status == "WAIT":
            assert answer["details"]["delay_seconds"] == outcome.wait

    @rule(
        place=st.integers(0, 1),
        kind=st.sampled_from(["RUNNING", "RUNNING", "PAUSED", "FAILED", "CANCELLING", "PENDING"]),
        reschedule=st.booleans(),
        timeout=st.none() | st.sampled_from(AHEAD),
    )
    def move_flow_run(
        self,
        place: int,
        kind: str,
        reschedule: bool,  # noqa: FBT001
        timeout: float | None,
    ) -> None:
        flow_run = self.flow_runs[place]
        state = State(kind, kind.capitalize())
        if kind == "PAUSED":
            state.details["pause_reschedule"] = reschedule
            if timeout is not None:
                state.details["pause_timeout"] = self.now + round(timeout * SECOND)
        body = {"state": wire.body(state), "force": True}
        self.server.ok("POST", f"/flow_runs/{flow_run.id}/set_state", body)
        flow_run.state = state
        flow_run.run_count += kind == "RUNNING"

    @rule(tag=st.sampled_from(TAGS), value=st.integers(0, 2), active=st.sampled_from([1, 1, 0]))
    def limit(self, tag: str, value: int, active: int) -> None:
        change = {"limit": value, "active": bool(active)}
        self.server.ok("PATCH", f"/v2/concurrency_limits/tag:{tag}", change)
        self.model.limits[tag].value = value
        self.model.limits[tag].active = bool(active)
        self.compare()

    @precondition(some)
    @rule(place=RUN, really=st.integers(0, 3))
    def delete(self, place: int, really: int) -> None:
        if really:
            return
        run = self.pick(place)
        self.server.ok("DELETE", f"/task_runs/{run.id}")
        del self.model.runs[run.id]
        for limit in self.model.limits.values():
            limit.holders = [each for each in limit.holders if each != run.id]
        gone = {id(state) for state in run.history}
        self.model.cache = [each for each in self.model.cache if id(each.state) not in gone]
        self.compare()

    @rule(seconds=st.sampled_from([0.3, 1, 4.9, 16, 45]))
    def wait(self, seconds: float) -> None:
        self.server.advance(seconds)

    def compare(self) -> None:
        rows = self.server.ok("POST", "/task_runs/filter", {"limit": 200})
        assert {row["id"] for row in rows} == set(self.model.runs)
        for row in rows:
            run = self.model.runs[row["id"]]
            expected = wire.columns_document(run, self.now)
            wire.same(wire.columns_seen(row, expected), expected, run.history)
            assert row["flow_run_run_count"] == run.flow_attempt
            if run.state is not None:
                seen = wire.state_seen(row["state"], run.state)
                wire.same(seen, wire.state_document(run.state))
                ids = row["state"]["state_details"]
                assert ids["task_run_id"] == run.id
                assert ids["flow_run_id"] == (run.flow_run.id if run.flow_run else None)
        for row in self.server.ok("POST", "/concurrency_limits/filter", {}):
            limit = self.model.limits[row["tag"]]
            assert sorted(row["active_slots"]) == sorted(limit.holders)
        counts = self.server.rows("select name, active_slots from concurrency_limit")
        assert {row[0]: row[1] for row in counts} == {
            f"tag:{tag}": len(limit.holders) for tag, limit in self.model.limits.items()
        }

    def teardown(self) -> None:
        if sys.exc_info()[0] is not None:
            return
        for run in self.runs:
            found = self.server.ok("GET", f"/task_run_states/?task_run_id={run.id}")
            for each, state in zip(found, run.history, strict=True):
                wire.same(wire.state_seen(each, state), wire.state_document(state), "history")


def test_task_runs_move_as_the_specification_says(server: Server, dialect: str) -> None:
    class Machine(TaskRuns):
        pass

    Machine.server = server
    run_state_machine_as_test(Machine, settings=effort(dialect, examples=40))
