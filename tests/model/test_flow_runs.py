"""Flow runs, their states and the slots of their deployments, against the model."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from armillary_plugins.cancellation_cleanup.config import Config as CleanupConfig
from armillary_plugins.cancellation_cleanup.services import CancelChildTaskRuns, CancelSubflowRuns
from armillary_plugins.concurrency.config import Config as LeaseConfig
from armillary_plugins.fail_expired_pauses.config import Config as PauseConfig
from armillary_plugins.fail_expired_pauses.services import FailExpiredPauses
from armillary_plugins.mark_late_runs.config import Config as LateConfig
from armillary_plugins.mark_late_runs.services import MarkLateRuns
from tests.model.effort import effort
from tests.model.ending import EndCancellations
from tests.model.flow_run_model import FAILED_PAUSE, Caller, FlowRun, Limit, stored
from tests.model.flow_run_world import CALLERS, NEWEST, Asked, FlowRunWorld, Turn
from tests.model.reaping import TakeSlotsBackInTime
from tests.model.runs import KEPT, SECOND, UNPERSISTED, Run, State, copied
from tests.model.server import Server

START = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
NAMES = {
    "SCHEDULED": ("Scheduled", "Late", "AwaitingRetry", "Resuming"),
    "PENDING": ("Pending", "Submitting", "InfrastructurePending"),
    "RUNNING": ("Running", "Retrying"),
    "PAUSED": ("Paused", "Suspended"),
    "COMPLETED": ("Completed", "Cached"),
    "FAILED": ("Failed", "TimedOut"),
    "CANCELLED": ("Cancelled",),
    "CRASHED": ("Crashed",),
    "CANCELLING": ("Cancelling",),
}
USUAL = ("PENDING", "RUNNING", "PAUSED", "FAILED", "SCHEDULED", "CANCELLING", "COMPLETED")
AHEAD = (-5.0, 0.4, 0.5, 1.5, 2.6, 20.0, 90.0)
RUN = st.integers(0, 9)
MOST = 8


@st.composite
def proposals(draw: st.DrawFn, now: int) -> State:
    """A state somebody might propose, its moments counted from now."""
    kind = draw(st.sampled_from(USUAL) | st.sampled_from(sorted(NAMES)))
    state = State(kind, draw(st.sampled_from(NAMES[kind])))
    state.message = draw(st.sampled_from([None, "m"]))
    if kind in {"COMPLETED", "FAILED"}:
        state.data = draw(st.sampled_from([None, KEPT, UNPERSISTED]))
    moments = st.sampled_from([now + round(each * SECOND) for each in AHEAD])
    if kind == "SCHEDULED" or draw(st.integers(0, 19)) == 0:
        state.details["scheduled_time"] = draw(st.none() | moments)
    if kind == "PAUSED":
        state.details["pause_timeout"] = draw(st.none() | moments)
        state.details["pause_key"] = draw(st.sampled_from([None, "a", "b"]))
        suspended = state.name == "Suspended" or draw(st.integers(0, 9)) == 0
        state.details["pause_reschedule"] = suspended
    return state


policies = st.fixed_dictionaries(
    {},
    optional={
        "retries": st.sampled_from([None, 0, 1, 2]),
        "max_retries": st.sampled_from([0, 1]),
        "retry_delay": st.sampled_from([None, 0, 3]),
        "pause_keys": st.sampled_from([["a"], ["b", "z"]]),
        "resuming": st.booleans(),
        "retry_type": st.sampled_from([None, "in_process", "reschedule"]),
    },
)


class FlowRuns(RuleBasedStateMachine):
    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.server.begin(START)
        self.world = FlowRunWorld(self.server)
        self.number = 0

    @initialize(limit=st.integers(1, 2), grace=st.sampled_from([None, 60, 100]), policy=policies)
    def begin(self, limit: int, grace: int | None, policy: dict[str, Any]) -> None:
        world = self.world
        free = world.deploy("free", None, cancels=False, grace=None)
        queue = world.deploy("queue", limit, cancels=False, grace=grace)
        cancel = world.deploy("cancel", 1, cancels=True, grace=None)
        for deployment in (free, queue, queue, cancel, None):
            world.create(State("SCHEDULED", "Scheduled"), deployment, policy, None)

    @property
    def runs(self) -> list[FlowRun]:
        return list(self.world.model.runs.values())

    def pick(self, place: int) -> FlowRun:
        return self.runs[place % len(self.runs)]

    def some_runs(self) -> bool:
        return bool(self.runs)

    @rule(data=st.data(), place=st.integers(0, 3), policy=policies, sub=st.booleans())
    def create(self, data: st.DataObject, place: int, policy: dict[str, Any], sub: bool) -> None:  # noqa: FBT001
        alive = [name for name, each in self.world.deployments.items() if each.exists]
        deployment = [None, *alive][place % (len(alive) + 1)]
        state = data.draw(
            st.just(State("SCHEDULED", "Scheduled", details={"scheduled_time": self.world.now}))
            | proposals(self.world.now)
        )
        # What is drawn must not hang on what came of races: PostgreSQL decides them anew.
        if len(self.runs) >= MOST:
            return
        parent = self.pick(place).id if sub and self.runs else None
        self.world.create(state, deployment, policy, parent)

    @precondition(some_runs)
    @rule(data=st.data(), place=RUN, times=st.integers(1, 4), force=st.integers(0, 9))
    def propose(self, data: st.DataObject, place: int, times: int, force: int) -> None:
        """The same run several times: what follows on what is what rules are about."""
        for time in range(times):
            caller = data.draw(st.just(NEWEST) | st.sampled_from(CALLERS))
            state = self.named(data.draw(proposals(self.world.now)))
            self.world.propose(self.pick(place).id, state, force=force == time, caller=caller)

    def named(self, state: State) -> State:
        state = copied(state)
        self.number += 1
        state.details["transition_id"] = f"00000000-0000-4000-8000-{self.number:012}"
        return state

    @precondition(some_runs)
    @rule(data=st.data(), places=st.lists(RUN, min_size=2, max_size=3))
    def propose_together(self, data: st.DataObject, places: list[int]) -> None:
        """To different runs or to one, in one batch of the writer."""
        now = self.world.now
        claims = st.just(State("PENDING", "Pending"))
        self.world.propose_together(
            [
                Asked(self.pick(place).id, self.named(data.draw(claims | proposals(now))))
                for place in places
            ]
        )

    @precondition(some_runs)
    @rule(data=st.data(), place=RUN)
    def propose_twice(self, data: st.DataObject, place: int) -> None:
        """As clients do that got no answer."""
        state = self.named(data.draw(proposals(self.world.now)))
        for _ in range(2):
            self.world.propose(self.pick(place).id, state, force=False)

    @precondition(some_runs)
    @rule(
        data=st.data(),
        place=RUN,
        caller=st.just(NEWEST) | st.sampled_from(CALLERS),
        claimed=st.sampled_from([False, False, False, True]),
        between=st.sampled_from([0, 0, 0, 61, 301]),
    )
    def live(
        self,
        data: st.DataObject,
        place: int,
        caller: Caller,
        claimed: bool,  # noqa: FBT001
        between: float,
    ) -> None:
        """What a worker and an engine do, from the claim on."""
        run = self.pick(place).id
        self.world.propose(run, State("PENDING", "Pending"), force=False, caller=caller)
        if between:
            self.server.advance(between)
            self.reap()
        if claimed:
            self.world.propose(run, State("PENDING", "Submitting"), force=False, caller=caller)
        self.world.propose(run, State("RUNNING", "Running"), force=False, caller=caller)
        state = self.named(data.draw(proposals(self.world.now)))
        self.world.propose(run, state, force=False, caller=caller)

    @precondition(some_runs)
    @rule(place=RUN)
    def resume(self, place: int) -> None:
        self.world.resume(self.pick(place).id)

    @precondition(some_runs)
    @rule(place=RUN, policy=policies)
    def change_policy(self, place: int, policy: dict[str, Any]) -> None:
        run = self.pick(place)
        self.server.ok("PATCH", f"/flow_runs/{run.id}", {"empirical_policy": policy})
        run.policy = stored(policy)
        self.world.compare()

    @precondition(some_runs)
    @rule(place=RUN)
    def start_infrastructure(self, place: int) -> None:
        run = self.pick(place)
        self.server.ok("PATCH", f"/flow_runs/{run.id}", {"infrastructure_pid": "pid"})
        run.pid = "pid"

    @precondition(some_runs)
    @rule(place=RUN, duration=st.sampled_from([60, 300]))
    def renew(self, place: int, duration: int) -> None:
        state = self.pick(place).state
        lease_id = state.get("lease") if state else None
        if not lease_id:
            return
        lease = self.world.model.lease(lease_id)
        path = f"/v2/concurrency_limits/leases/{lease_id}/renew"
        status, _ = self.server.call("POST", path, {"lease_duration": duration})
        assert status == (204 if lease else 410)
        if lease:
            lease.ends = self.world.now + duration * SECOND
        self.world.compare()

    @rule(seconds=st.sampled_from([0.3, 1, 4.9, 16, 45, 61, 301]))
    def wait(self, seconds: float) -> None:
        self.server.advance(seconds)

    @rule(place=st.integers(0, 2), value=st.sampled_from([None, 1, 2, 3]))
    def limit(self, place: int, value: int | None) -> None:
        name, deployment = list(self.world.deployments.items())[place]
        if not deployment.exists:
            return
        self.server.ok("PATCH", f"/deployments/{name}", {"concurrency_limit": value})
        if value is None:
            deployment.limit = None
        elif deployment.limit is None:
            deployment.limit = Limit(value)
        else:
            deployment.limit.value = value
        self.world.compare()

    @rule(place=st.integers(0, 2), really=st.integers(0, 5))
    def delete_deployment(self, place: int, really: int) -> None:
        name, deployment = list(self.world.deployments.items())[place]
        if really or not deployment.exists:
            return
        self.server.ok("DELETE", f"/deployments/{name}")
        deployment.exists, deployment.limit = False, None
        for run in [run for run in self.runs if run.deployment is deployment]:
            if run.state and run.state.type == "SCHEDULED" and self.untouched(run, run.state.name):
                self.forget(run)
        self.world.compare()

    @staticmethod
    def untouched(run: FlowRun, name: str) -> bool:
        return run.run_count == 0 and name not in {"AwaitingConcurrencySlot", "AwaitingRetry"}

    @rule(place=st.integers(0, 2), active=st.booleans(), value=st.sampled_from([None, 0, 2]))
    def switch_limit(self, place: int, active: bool, value: int | None) -> None:  # noqa: FBT001
        name, deployment = list(self.world.deployments.items())[place]
        if deployment.limit is None:
            return
        change = {"active": active, **({} if value is None else {"limit": value})}
        self.server.ok("PATCH", f"/v2/concurrency_limits/deployment:{name}", change)
        deployment.limit.active = active
        if value is not None:
            deployment.limit.value = value
        self.world.compare()

    @rule()
    def services(self) -> None:
        for turn in self.turns():
            self.server.turn(turn.service)
            turn.effect()
            self.world.written_by_service()

    @precondition(some_runs)
    @rule(
        data=st.data(),
        places=st.lists(RUN, min_size=1, max_size=2),
        which=st.integers(0, 3),
        seconds=st.sampled_from([0, 20, 91, 301]),
    )
    def propose_during_turn(
        self, data: st.DataObject, places: list[int], which: int, seconds: int
    ) -> None:
        """What a service found before somebody moved a run is not done to it after."""
        self.server.advance(seconds)
        usual = st.sampled_from([State("PENDING", "Pending"), State("RUNNING", "Running")])
        self.world.propose_together(
            [
                Asked(self.pick(place).id, self.named(data.draw(usual | proposals(self.world.now))))
                for place in places
            ],
            self.turns()[which],
        )

    def turns(self) -> list[Turn]:
        core = self.server.core
        return [
            Turn(MarkLateRuns(core, LateConfig()), self.mark_late),
            Turn(FailExpiredPauses(core, PauseConfig()), self.fail_pauses),
            Turn(EndCancellations(core), self.end_cancellations),
            Turn(TakeSlotsBackInTime(core, LeaseConfig()), self.end_leases),
        ]

    def end_leases(self) -> None:
        self.world.model.reap(self.world.now)

    def fail_pauses(self) -> None:
        now = self.world.now
        for run in self.runs:
            state = run.state
            if state and state.type == "PAUSED" and (state.get("pause_timeout") or now) < now:
                failed = State("FAILED", "Failed", FAILED_PAUSE)
                self.world.model.propose(run, failed, force=True, caller=NEWEST, now=now)

    def end_cancellations(self) -> None:
        now = self.world.now
        for run in self.runs:
            state = run.state
            if state and state.type == "CANCELLING" and state.at + 300 * SECOND <= now:
                ended = State("CANCELLED", "Cancelled", "*")
                self.world.model.propose(run, ended, force=False, caller=NEWEST, now=now)

    def mark_late(self) -> None:
        for run in self.runs:
            self._late(run, self.world.now)

    def _late(self, run: FlowRun, now: int) -> None:
        state = run.state
        if state is None or (state.type, state.name) != ("SCHEDULED", "Scheduled"):
            return
        if run.due is None or run.due > now - 15 * SECOND:
            return
        limit = run.deployment.limit if run.deployment else None
        full = limit is not None and self.world.model.used(limit) >= limit.value
        if full and run.deployment and run.deployment.cancels_new:
            run.columns(State("CANCELLED", "Cancelled", "*"), now)
            run.change(resuming=False)
            return
        run.columns(State("SCHEDULED", "Late", "*", details={"scheduled_time": run.due}), now)

    @rule()
    def reap(self) -> None:
        self.server.turn(TakeSlotsBackInTime(self.server.core, LeaseConfig()))
        self.world.model.reap(self.world.now)
        self.world.compare()

    @rule()
    def cancel_children(self) -> None:
        core, model, now = self.server.core, self.world.model, self.world.now
        self.server.turn(CancelSubflowRuns(core, CleanupConfig()))
        for run in [run for run in self.runs if self._orphan(run)]:
            kind = "CANCELLING" if run.deployment else "CANCELLED"
            state = State(kind, kind.capitalize(), "The parent flow run was cancelled.")
            model.propose(run, state, force=True, caller=NEWEST, now=now)
        self.world.written_by_service()
        self.server.turn(CancelChildTaskRuns(core, CleanupConfig()))
        for task, state in self.world.tasks.items():
            owner = model.runs[self.world.tracking[task]]
            cancelled = owner.state and owner.state.type == "CANCELLED"
            if cancelled and not state.terminal and (owner.end or 0) >= now - 86400 * SECOND:
                self.world.tasks[task] = State("CANCELLED", "Cancelled")
        self.world.compare()

    def _orphan(self, run: FlowRun) -> bool:
        parent = self.world.model.runs.get(self.world.tracking.get(run.parent or "", ""))
        if parent is None or parent.state is None or run.state is None:
            return False
        waiting = not run.state.terminal and run.state.type != "CANCELLING"
        return parent.state.type == "CANCELLED" and waiting

    @staticmethod
    def _lives(run: Run) -> bool:
        return run.state is not None and not run.state.terminal

    @precondition(some_runs)
    @rule(place=RUN, really=st.integers(0, 3))
    def delete(self, place: int, really: int) -> None:
        if really:
            return
        run = self.pick(place)
        self.server.ok("DELETE", f"/flow_runs/{run.id}")
        self.forget(run)
        self.world.compare()

    def forget(self, run: FlowRun) -> None:
        del self.world.model.runs[run.id]
        self.world.model.release(run)
        for task in [task for task, owner in self.world.tracking.items() if owner == run.id]:
            del self.world.tracking[task], self.world.tasks[task]
            for other in self.runs:
                if other.parent == task:
                    other.parent = None

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            self.world.compare_history()


def test_flow_runs_move_as_the_specification_says(server: Server, dialect: str) -> None:
    class Machine(FlowRuns):
        pass

    Machine.server = server
    run_state_machine_as_test(Machine, settings=effort(dialect, examples=40))
