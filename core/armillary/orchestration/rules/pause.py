"""A run pauses while it runs, each of its pauses once."""

from __future__ import annotations

import msgspec

from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import State, StateType
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Reject, Verdict


class RunningFlowRunsPauseOncePerKey(Rule):
    """Only a running flow run pauses, and not again at a point it has passed already.

    A suspension ends the process, so only a run that a deployment can start again is suspended.
    A client that has lost its process and runs the flow anew takes the refusal, with the RUNNING
    state that comes with it, for a pause that is over.
    """

    rows = ("2.4 #11", "2.4.3 #1", "2.4.3 #2", "2.4.3 #3", "2.4.3 #4", "2.4.3 #5", "2.4.3 #6")
    phase = Phase.REPLACE
    subjects = frozenset({"flow_run"})
    policies = frozenset({"core"})
    proposed = frozenset({StateType.PAUSED})

    def decide(self, transition: Transition) -> Verdict:
        """Check the run, then the key, then whether it could come back."""
        initial, details = transition.initial, transition.proposed.details
        verb = "suspend" if transition.proposed.name == "Suspended" else "pause"
        if initial is None:
            return Abort(f"Cannot {verb} flows with no state.")
        if initial.type is not StateType.RUNNING:
            return Reject(f"Cannot {verb} flows that are not currently running.")
        if details.pause_key is not None and details.pause_key in (
            transition.policy.pause_keys or []
        ):
            return Reject(f"This {verb} has already fired.")
        if details.pause_reschedule and transition.run.parent_task_run_id is not None:
            return Abort(f"Cannot {verb} subflows.")
        if details.pause_reschedule and transition.run.deployment_id is None:
            return Abort(f"Cannot {verb} flows without a deployment.")
        return ACCEPT

    def afterwards(self, transition: Transition, written: State | None) -> RunChange | None:
        """Remember the key; a pause without one cannot come twice."""
        if written is None or written.details.pause_key is None:
            return None
        policy = transition.policy
        keys = [*(policy.pause_keys or []), written.details.pause_key]
        return RunChange(policy=msgspec.structs.replace(policy, pause_keys=keys))
