"""Flow runs as spec/orchestration.md describes them (2.4 to 2.8), slow and from the beginning.

Rules stand in the order of the specification and are asked one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.model.runs import SECOND, TERMINAL, Outcome, Run, State, wait_seconds

POLICY: dict[str, Any] = {
    "max_retries": 0, "retry_delay_seconds": 0.0, "retries": None, "retry_delay": None,
    "pause_keys": [], "resuming": False, "retry_type": None,
}  # fmt: skip
NEW = "(new)"
UNDER_WAY = {"PENDING", "RUNNING", "CANCELLING"}
UNCLAIMABLE = {*UNDER_WAY, *TERMINAL}
"""Stricter than Prefect, which lets who polled long ago claim what has ended: decision 10."""
GONE_AFTER = 300 * SECOND
SLOT_WAIT = 30 * SECOND
GRACE = 300
FAILED_PAUSE = "The flow was paused and never resumed."


def stored(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy with all its members; older clients call two of them by other names."""
    found = {**POLICY, **policy}
    if found["retries"] is None and found["max_retries"]:
        found["retries"] = found["max_retries"]
    if found["retry_delay"] is None and found["retry_delay_seconds"]:
        found["retry_delay"] = int(found["retry_delay_seconds"])
    return found


@dataclass(frozen=True)
class Caller:
    """A client, as far as the gate makes a difference."""

    agent: str
    renews: bool
    knows_pauses: bool = True
    retries_tasks: bool = True
    """Whether it starts failed task runs afresh by itself when a flow run is retried."""
    takes_slots: bool = False
    """Those few versions that take the deployment's slot themselves."""


@dataclass
class Limit:
    """A deployment's limit; gone once it was taken away."""

    value: int
    active: bool = True
    gone: bool = False


@dataclass
class Lease:
    """A slot somebody holds; it ends by itself unless ``ends`` is None."""

    limit: Limit
    run: str
    ends: int | None
    id: str = ""


@dataclass
class Deployment:
    limit: Limit | None = None
    cancels_new: bool = False
    grace: int = GRACE
    exists: bool = True


@dataclass
class FlowRun(Run):
    deployment: Deployment | None = None
    parent: str | None = None
    pid: str | None = None
    policy: dict[str, Any] = field(default_factory=lambda: {**POLICY})

    def change(self, **changes: Any) -> None:
        self.policy = {**self.policy, **changes}


@dataclass
class Turn:
    """One proposal, as the rules see it."""

    run: FlowRun
    initial: State
    proposed: State
    caller: Caller
    now: int
    resumes: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        return self.initial.type, self.proposed.type


Rule = Callable[[Turn], Outcome | None]


class FlowRunModel:
    """All flow runs and the slots they hold."""

    def __init__(self) -> None:
        self.runs: dict[str, FlowRun] = {}
        self.deployments: dict[str, Deployment] = {}
        self.leases: list[Lease] = []
        self.taken: Lease | None = None
        """What the last proposal took, to learn its id from the server's answer."""

    # -- slots ---------------------------------------------------------------------------

    def used(self, limit: Limit) -> int:
        return sum(each.limit is limit for each in self.leases)

    def take(self, run: FlowRun, deployment: Deployment, now: int) -> bool:
        limit = deployment.limit
        assert limit is not None
        if not limit.active or self.used(limit) + 1 > limit.value:
            return False
        self.taken = Lease(limit, run.id, now + deployment.grace * SECOND)
        self.leases.append(self.taken)
        return True

    def untake(self) -> None:
        if self.taken is not None:
            self.leases.remove(self.taken)
            self.taken = None

    def release(self, run: FlowRun) -> None:
        self.leases = [each for each in self.leases if each.run != run.id]

    def lease(self, lease_id: str | None) -> Lease | None:
        return next((each for each in self.leases if lease_id and each.id == lease_id), None)

    def held(self, run: FlowRun) -> Lease | None:
        """The slot a run holds already: it never holds two."""
        return next((each for each in self.leases if each.run == run.id), None)

    def reap(self, now: int) -> None:
        self.leases = [each for each in self.leases if each.ends is None or each.ends > now]

    # -- transitions ---------------------------------------------------------------------

    def propose(
        self, run: FlowRun, proposed: State, *, force: bool, caller: Caller, now: int
    ) -> Outcome:
        """Decide, and make it so."""
        self.taken = None
        if proposed.type == "SCHEDULED" and proposed.get("scheduled_time") is None:
            proposed.details["scheduled_time"] = now
        before = run.policy
        turn = Turn(run, run.state or State("", ""), proposed, caller, now)
        outcome = self._minimal(turn) if force else self._core(turn)
        written = outcome.state
        if outcome.status != "ACCEPT":
            self.untake()
            if written is None or written.name != "AwaitingRetry":
                run.policy = before
        if written is not None:
            self._write(turn, written)
        if outcome.status == "ACCEPT":
            self._accepted(turn, force=force)
        if turn.resumes:  # 12, whatever it said
            run.change(resuming=True)
        return outcome

    def _minimal(self, turn: Turn) -> Outcome:
        return self._first(turn, (self._kept_result, self._cancelled_at_once, self._freed))

    def _core(self, turn: Turn) -> Outcome:
        return self._first(
            turn,
            (
                self._carried_lease, self._repeated, self._ended, self._rerun, self._cancelling,
                self._cancelled_at_once, self._claimed, self._start, self._slot, self._late,
                self._pause, self._resume, self._copied_time, self._wait, self._retry,
                self._freed,
            ),
        )  # fmt: skip

    @staticmethod
    def _first(turn: Turn, rules: tuple[Rule, ...]) -> Outcome:
        """What the first rule says that says anything; then no later one fires."""
        for rule in rules:
            if found := rule(turn):
                return found
        return Outcome("ACCEPT", turn.proposed)

    @staticmethod
    def _carried_lease(turn: Turn) -> None:  # 1
        if turn.initial.get("lease") and not turn.proposed.get("lease"):
            turn.proposed.details["lease"] = turn.initial.get("lease")

    @staticmethod
    def _repeated(turn: Turn) -> Outcome | None:  # 2
        same = turn.initial.get("transition_id")
        return Outcome("REJECT") if same and same == turn.proposed.get("transition_id") else None

    @staticmethod
    def _kept_result(turn: Turn) -> Outcome | None:  # 3c, 2.5 #1
        initial, proposed = turn.initial, turn.proposed
        completed = initial.type == proposed.type == "COMPLETED"
        lost = completed and initial.persisted and not proposed.persisted
        return Outcome("REJECT") if lost else None

    def _ended(self, turn: Turn) -> Outcome | None:  # 3, 3b, 3c, 3d
        initial, proposed = turn.initial, turn.proposed
        if not initial.terminal:
            return None
        if proposed.type in {"CANCELLING", "PAUSED", "CRASHED"}:
            return Outcome("ABORT")
        kept = initial.type == "COMPLETED" and initial.persisted
        if kept and not proposed.terminal:
            return Outcome("REJECT")
        if proposed.type == "SCHEDULED" and turn.run.deployment is None:
            return Outcome("ABORT")
        return self._kept_result(turn)

    @staticmethod
    def _rerun(turn: Turn) -> None:  # 3e
        again = turn.initial.terminal and not turn.proposed.terminal
        if again and turn.caller.knows_pauses:
            kind = "reschedule" if turn.proposed.type == "SCHEDULED" else None
            turn.run.change(resuming=False, pause_keys=[], retry_type=kind)

    @staticmethod
    def _cancelling(turn: Turn) -> Outcome | None:  # 4
        if turn.initial.type == "CANCELLING" and turn.proposed.type != "CANCELLED":
            return Outcome("REJECT")
        return None

    @staticmethod
    def _cancelled_at_once(turn: Turn) -> Outcome | None:  # 5, 5b, 2.5 #2
        initial = turn.initial
        if turn.proposed.type != "CANCELLING" or initial.type not in {"SCHEDULED", "PAUSED"}:
            return None
        unstarted = initial.type == "SCHEDULED" and not turn.run.pid
        suspended = initial.type == "PAUSED" and initial.get("pause_reschedule")
        if unstarted or suspended or initial.name == "Resuming":
            return Outcome("REJECT", State("CANCELLED", "Cancelled", message="*"))
        return None

    @staticmethod
    def _claimed(turn: Turn) -> Outcome | None:  # 6
        initial, proposed = turn.initial, turn.proposed
        if turn.pair == ("SCHEDULED", "PENDING") and turn.run.policy["retry_type"] == "in_process":
            gone = turn.now >= initial.get("scheduled_time") + GONE_AFTER
            return None if gone else Outcome("ABORT")
        if proposed.type != "PENDING" or initial.type not in UNCLAIMABLE:
            return None
        if initial.type != "PENDING" or proposed.name in {initial.name, "Pending"}:
            return Outcome("ABORT")
        proposed.details["scheduled_time"] = initial.get("scheduled_time")
        proposed.details["lease"] = initial.get("lease")
        return None

    def _start(self, turn: Turn) -> Outcome | None:  # 7, 2.4.1
        lease_id, deployment = turn.proposed.get("lease"), turn.run.deployment
        if turn.pair != ("PENDING", "RUNNING") or not lease_id or not turn.caller.renews:
            return None
        if deployment is None or not deployment.exists or deployment.limit is None:
            return None
        if lease := self.lease(lease_id):
            if lease.ends is not None:
                lease.ends = turn.now + deployment.grace * SECOND
            return None
        if self.take(turn.run, deployment, turn.now):
            turn.proposed.details["lease"] = NEW
            return None
        return Outcome("REJECT", State("CANCELLED", "Cancelled", message="*"))

    def _slot(self, turn: Turn) -> Outcome | None:  # 8, 2.4.2
        deployment = turn.run.deployment
        if turn.proposed.type != "PENDING" or turn.initial.type in UNDER_WAY:
            return None
        if deployment is None or turn.caller.takes_slots:
            return None
        if not deployment.exists:
            return Outcome("ABORT")
        if deployment.limit is None:
            return None
        if deployment.limit.value == 0:
            return Outcome("ABORT")
        return self._taken(turn, deployment)

    def _taken(self, turn: Turn, deployment: Deployment) -> Outcome | None:
        if held := self.held(turn.run):  # 2.4.5: from one attempt in a process to the next
            if held.ends is not None:
                held.ends = max(held.ends, turn.now + deployment.grace * SECOND)
            turn.proposed.details["lease"] = held.id
            return None
        if self.take(turn.run, deployment, turn.now):
            turn.proposed.details["lease"] = NEW
            return None
        if deployment.cancels_new:
            return Outcome("REJECT", State("CANCELLED", "Cancelled", message="*"))
        state = State("SCHEDULED", "AwaitingConcurrencySlot", message="*")
        state.details["scheduled_time"] = turn.now + SLOT_WAIT
        return Outcome("REJECT", state)

    @staticmethod
    def _late(turn: Turn) -> Outcome | None:  # 10
        if (turn.proposed.type, turn.proposed.name) != ("SCHEDULED", "Late"):
            return None
        fresh = turn.initial.type == "SCHEDULED" and turn.initial.name != "Late"
        return None if fresh else Outcome("REJECT")

    @staticmethod
    def _pause(turn: Turn) -> Outcome | None:  # 11, 2.4.3
        run, proposed = turn.run, turn.proposed
        if proposed.type != "PAUSED":
            return None
        if turn.initial.type != "RUNNING" or proposed.get("pause_key") in run.policy["pause_keys"]:
            return Outcome("REJECT")
        if proposed.get("pause_reschedule") and (run.parent or run.deployment is None):
            return Outcome("ABORT")
        return None

    @staticmethod
    def _resume(turn: Turn) -> Outcome | None:  # 12, 2.4.4
        initial, proposed = turn.initial, turn.proposed
        if initial.type != "PAUSED":
            return None
        turn.resumes = True
        if proposed.type not in {"RUNNING", "SCHEDULED", "CANCELLING", *TERMINAL}:
            return Outcome("REJECT")
        if initial.get("pause_reschedule") and turn.run.deployment is None:
            return Outcome("REJECT")
        timeout = initial.get("pause_timeout")
        if proposed.type != "CANCELLING" and timeout is not None and timeout < turn.now:
            message = f"The flow was {proposed.name.lower()} and never resumed."
            return Outcome("REJECT", State("FAILED", "Failed", message=message))
        return None

    @staticmethod
    def _copied_time(turn: Turn) -> None:  # 13
        if turn.pair == ("SCHEDULED", "PENDING") and turn.proposed.get("scheduled_time") is None:
            turn.proposed.details["scheduled_time"] = turn.initial.get("scheduled_time")

    @staticmethod
    def _wait(turn: Turn) -> Outcome | None:  # 14
        if turn.pair not in {("SCHEDULED", "RUNNING"), ("PENDING", "RUNNING")}:
            return None
        seconds = wait_seconds(turn.initial, turn.now)
        return Outcome("WAIT", wait=seconds) if seconds else None

    @staticmethod
    def _retry(turn: Turn) -> Outcome | None:  # 15
        run, proposed, policy = turn.run, turn.proposed, turn.run.policy
        if turn.pair != ("RUNNING", "FAILED"):
            return None
        if policy["retries"] is None or run.run_count > policy["retries"]:
            run.change(retry_type=None)
            return None
        if turn.caller.knows_pauses:
            run.change(resuming=False, pause_keys=[], retry_type="in_process")
        state = State("SCHEDULED", "AwaitingRetry", proposed.message, proposed.data)
        state.details["scheduled_time"] = turn.now + round((policy["retry_delay"] or 0) * SECOND)
        state.details["lease"] = proposed.get("lease")
        return Outcome("REJECT", state)

    @staticmethod
    def _freed(turn: Turn) -> None:  # 2.5, the trap
        if turn.proposed.type == "SCHEDULED" and turn.run.policy["retry_type"] == "in_process":
            turn.run.change(retry_type=None)

    # -- what follows --------------------------------------------------------------------

    def _write(self, turn: Turn, new: State) -> None:
        run, bookkeeping = turn.run, turn.caller.knows_pauses
        run.columns(new, turn.now)
        if new.type == "RUNNING" and not (run.policy["resuming"] and bookkeeping):
            run.run_count += 1
        if (new.type == "RUNNING" or new.terminal) and bookkeeping:
            run.change(resuming=False)
        retries = new is not turn.proposed and new.name == "AwaitingRetry"  # 2.4.5
        waits = new.type == "PAUSED" and not new.get("pause_reschedule")
        if not retries and not waits and new.type not in UNDER_WAY:
            self.release(run)

    def _accepted(self, turn: Turn, *, force: bool) -> None:
        if force:
            return
        # 11; a pause without a key gets one that nobody knows, and so need not be remembered
        if turn.proposed.type == "PAUSED" and (key := turn.proposed.get("pause_key")):
            turn.run.change(pause_keys=[*turn.run.policy["pause_keys"], key])
        if turn.pair in {("PENDING", "RUNNING"), ("PENDING", "CANCELLING")}:  # 9
            lease = self.lease(turn.initial.get("lease"))
            if lease and not turn.caller.renews:
                lease.ends = None
