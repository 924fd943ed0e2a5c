"""Asks the server and the model the same about flow runs, and compares what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from armillary.services.loop import LoopService
from tests.model import wire
from tests.model.flow_run_model import (
    NEW,
    Caller,
    Deployment,
    FlowRun,
    FlowRunModel,
    Limit,
    stored,
)
from tests.model.runs import Outcome, State, copied
from tests.model.server import SDK, Request, Server

NEVER = 2**62
NEWEST = Caller(SDK, renews=True)
CALLERS = (
    NEWEST,
    Caller("prefect/3.4.11 (API 0.8.4)", renews=True),
    Caller("prefect/3.4.10 (API 0.8.4)", renews=False),
    Caller("curl/8.0", renews=False),
    Caller("prefect/3.8.8 (API 0.8.3)", renews=True, knows_pauses=False),
    Caller("prefect/3.8.8 (API 0.8.2)", renews=True, knows_pauses=False, retries_tasks=False),
    Caller("prefect/3.0.2 (API 0.8.4)", renews=False, takes_slots=True),
)


@dataclass(frozen=True)
class Asked:
    """A proposal of somebody about a run."""

    run: str
    state: State
    force: bool = False
    caller: Caller = NEWEST


@dataclass(frozen=True)
class Turn:
    """A service that takes a turn, and what that does to the model."""

    service: LoopService
    effect: Callable[[], None]


class FlowRunWorld:
    """One flow with deployments, their runs, and what should be of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.model = FlowRunModel()
        self.tracking: dict[str, str] = {}
        """Task runs that stand for subflows, and the runs they belong to."""
        self.tasks: dict[str, State] = {}
        self.flow = server.ok("POST", "/flows/", {"name": "f"})["id"]

    @property
    def deployments(self) -> dict[str, Deployment]:
        return self.model.deployments

    @property
    def now(self) -> int:
        return self.server.clock.micros()

    def deploy(self, name: str, limit: int | None, *, cancels: bool, grace: int | None) -> str:
        strategy = "CANCEL_NEW" if cancels else "ENQUEUE"
        options = {"collision_strategy": strategy, "grace_period_seconds": grace}
        more = {"concurrency_limit": limit} if limit is not None else {}
        answer = self.server.ok(
            "POST",
            "/deployments/",
            {"name": name, "flow_id": self.flow, "concurrency_options": options, **more},
        )
        made = Deployment(Limit(limit) if limit is not None else None, cancels, grace or 300)
        self.deployments[answer["id"]] = made
        return str(answer["id"])

    def create(
        self, state: State, deployment: str | None, policy: dict[str, Any], parent: str | None
    ) -> str:
        """A new run, of which the server makes the same as the model."""
        task = self._track(parent) if parent else None
        answer = self.server.ok(
            "POST",
            "/flow_runs/",
            {
                "flow_id": self.flow, "state": wire.body(state), "deployment_id": deployment,
                "empirical_policy": policy, "parent_task_run_id": task,
            },
        )  # fmt: skip
        run = FlowRun(answer["id"], policy=stored(policy), parent=task)
        run.deployment = self.deployments[deployment] if deployment else None
        self.model.runs[run.id] = run
        proposed = copied(state)
        self.model.propose(run, proposed, force=True, caller=NEWEST, now=self.now)
        self._learn(run, answer["state"])
        self.compare()
        return run.id

    def propose(
        self, run_id: str, proposed: State, *, force: bool, caller: Caller = NEWEST
    ) -> Outcome:
        """Propose a state to both."""
        run, now = self.model.runs[run_id], self.now
        answer = self.server.call(*self._request(Asked(run_id, proposed, force, caller)))
        outcome = self.model.propose(run, copied(proposed), force=force, caller=caller, now=now)
        retried = outcome.status == "REJECT" and outcome.state is not None
        if retried and not caller.retries_tasks and run.state and run.state.name == "AwaitingRetry":
            self._retry_tasks(run_id)
        self._compare_answer(run, outcome, answer)
        return outcome

    def _retry_tasks(self, run_id: str) -> None:
        """2.6: before API 0.8.3 the server moves the failed task runs of a retried flow run."""
        for task, owner in self.tracking.items():
            if owner == run_id and self.tasks[task].type == "FAILED":
                self.tasks[task] = State("SCHEDULED", "AwaitingRetry")

    @staticmethod
    def _request(asked: Asked) -> Request:
        version = asked.caller.agent.partition("(API ")[2].rstrip(")")
        headers = {"user-agent": asked.caller.agent}
        if version:
            headers["x-prefect-api-version"] = version
        body = {"state": wire.body(asked.state), "force": asked.force}
        return "POST", f"/flow_runs/{asked.run}/set_state", body, headers

    def propose_together(self, several: list[Asked], turn: Turn | None = None) -> None:
        """Propose at the same time: what comes of it is what comes of it in some order."""
        requests = [self._request(asked) for asked in several]
        answers = self.server.together(requests, service=turn.service if turn else None)
        acts: list[tuple[Asked, tuple[int, Any]] | Turn] = [*zip(several, answers, strict=True)]
        if turn is not None:
            acts.append(turn)
        before, tasks = self.model, self.tasks
        failures = []
        for order in permutations(acts):
            self.model, self.tasks = deepcopy(before), dict(tasks)
            try:
                self._done_in(order)
            except AssertionError as failure:
                failures.append(str(failure))
            else:
                return
        raise AssertionError(f"no order explains {answers}:\n" + "\n".join(failures))

    def _done_in(self, order: Iterable[tuple[Asked, tuple[int, Any]] | Turn]) -> None:
        for act in order:
            if isinstance(act, Turn):
                act.effect()
                continue
            asked, answer = act
            run = self.model.runs[asked.run]
            outcome = self.model.propose(
                run, copied(asked.state), force=asked.force, caller=asked.caller, now=self.now
            )
            self._compare_answer(run, outcome, answer, alone=False)
        self.written_by_service()

    def resume(self, run_id: str) -> None:
        run, now = self.model.runs[run_id], self.now
        status, answer = self.server.call("POST", f"/flow_runs/{run_id}/resume", {})
        if run.state is None or run.state.type != "PAUSED":
            assert (status, answer["status"], answer["state"]) == (200, "ABORT", None)
            return
        suspended = run.state.get("pause_reschedule")
        proposed = State("RUNNING", "Running")
        if suspended:
            proposed = State("SCHEDULED", "Resuming", details={"scheduled_time": now})
        outcome = self.model.propose(run, proposed, force=False, caller=NEWEST, now=now)
        if outcome.state is proposed:
            proposed.message = "*"
        self._compare_answer(run, outcome, (status, answer))

    def _compare_answer(
        self, run: FlowRun, outcome: Outcome, answered: tuple[int, Any], *, alone: bool = True
    ) -> None:
        status, answer = answered
        wire.same(answer["status"], outcome.status, (answer, run.state))
        assert answer["details"]["type"] == f"{outcome.status.lower()}_details"
        if outcome.status == "WAIT":
            assert answer["details"]["delay_seconds"] == outcome.wait
        current = run.state
        if outcome.state is not None:
            self._learn(run, answer["state"])
        if current is None:
            assert (answer["state"], status) == (None, 200)
        else:
            wire.same(wire.state_seen(answer["state"], current), wire.state_document(current))
            assert status == (200 if outcome.state is None else 201)
        if alone:
            self.compare()

    def _learn(self, run: FlowRun, answered: dict[str, Any]) -> None:
        """Take over the ids that only the server can know."""
        state = run.state
        assert state is not None
        known = {each.id for one in self.model.runs.values() for each in one.history}
        assert answered["id"] not in known, "states have ids of their own"
        state.id = answered["id"]
        state.details["task"] = run.parent
        lease_id = answered["state_details"]["deployment_concurrency_lease_id"]
        if state.details.get("lease") == NEW:
            assert lease_id is not None
            assert lease_id not in {each.id for each in self.model.leases}
            assert self.model.taken is not None
            state.details["lease"] = self.model.taken.id = lease_id
        if run.parent is not None and run.parent in self.tasks:
            self.tasks[run.parent] = state

    # -- what services do ----------------------------------------------------------------

    def written_by_service(self) -> None:
        """Learn the ids of states that services wrote, and compare all."""
        for run in self.model.runs.values():
            if any(not state.id for state in run.history):
                self._learn_history(run)
        self.compare()

    def _learn_history(self, run: FlowRun) -> None:
        found = self.server.ok("GET", f"/flow_run_states/?flow_run_id={run.id}")
        assert len(found) == len(run.history), f"{found} is not {run.history}"
        for state, each in zip(run.history, found, strict=True):
            state.id = state.id or each["id"]
            state.details.setdefault("task", run.parent)
        if run.parent is not None and run.parent in self.tasks:
            self.tasks[run.parent] = run.history[-1]

    # -- comparing -----------------------------------------------------------------------

    def compare(self) -> None:
        """Every run, every slot and every lease is as the model has it."""
        rows = self.server.ok("POST", "/flow_runs/filter", {"limit": 200})
        assert {row["id"] for row in rows} == set(self.model.runs)
        for row in rows:
            self._compare_run(self.model.runs[row["id"]], row)
        self._compare_slots()
        for task, expected in self.tasks.items():
            found = self.server.ok("GET", f"/task_runs/{task}")
            seen = (found["state_type"], found["state_name"])
            wire.same(seen, (expected.type, expected.name), "task run of a subflow")

    def _compare_run(self, run: FlowRun, row: dict[str, Any]) -> None:
        expected = wire.columns_document(run, self.now)
        wire.same(wire.columns_seen(row, expected), expected, run.history)
        assert run.state is not None
        wire.same(wire.state_seen(row["state"], run.state), wire.state_document(run.state))
        assert row["state"]["state_details"]["flow_run_id"] == run.id
        assert row["state"]["state_details"]["task_run_id"] == run.state.get("task")
        assert row["parent_task_run_id"] == run.parent
        policy = dict(row["empirical_policy"])
        policy["pause_keys"] = policy["pause_keys"] or []
        wire.same(policy, run.policy, run.history)

    def _compare_slots(self) -> None:
        rows = self.server.rows("select name, active_slots from concurrency_limit")
        expected = {
            f"deployment:{name}": self.model.used(each.limit)
            for name, each in self.deployments.items()
            if each.limit is not None
        }
        wire.same({row[0]: row[1] for row in rows}, expected, "slots")
        leases = self.server.rows("select id, expires from concurrency_lease")
        seen = {row[0]: None if row[1] >= NEVER else row[1] for row in leases}
        wire.same(seen, {each.id: each.ends for each in self.model.leases}, "leases")

    def compare_history(self) -> None:
        """All states, in their order, and each with one event."""
        written = []
        for run in self.model.runs.values():
            found = self.server.ok("GET", f"/flow_run_states/?flow_run_id={run.id}")
            for each, state in zip(found, run.history, strict=True):
                wire.same(wire.state_seen(each, state), wire.state_document(state), "history")
            written += [state.id for state in run.history]
        events = self.server.rows("select event_id from outbox where topic = 'events'")
        told = [row[0] for row in events if row[0] in set(written)]
        assert sorted(told) == sorted(written), "one event for each state"

    def _track(self, parent: str) -> str:
        task = self.server.ok(
            "POST",
            "/task_runs/",
            {
                "flow_run_id": parent, "task_key": "sub", "name": "sub",
                "dynamic_key": str(len(self.tracking)),
            },
        )["id"]  # fmt: skip
        self.tracking[task] = parent
        self.tasks[task] = State("PENDING", "Pending")
        return str(task)
