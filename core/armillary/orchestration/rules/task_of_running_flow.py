"""Tasks run inside a flow run that runs."""

from __future__ import annotations

from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import StateDetails, StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import ACCEPT, Abort, Reject, Verdict


class TasksRunWhileTheirFlowRunRuns(Rule):
    """A task run of a flow run that has stopped does not start; of a paused one it pauses too.

    A task run without a flow run, or whose flow run is gone, is asked for no more.
    """

    rows = ("2.9 #3",)
    phase = Phase.GUARD
    subjects = frozenset({"task_run"})
    policies = frozenset({"core"})
    proposed = frozenset({StateType.RUNNING})
    after = frozenset({"CachedStatesAreReused", "EndedTaskRunsOnlyRunAgain"})

    def decide(self, transition: Transition) -> Verdict:
        """Look at the flow run's state."""
        task = transition.task
        if not task.flow_run_found:
            return ACCEPT
        around = task.flow_run_state
        if around is None or around.type not in {StateType.RUNNING, StateType.PAUSED}:
            return Abort("A task run starts only while the flow run around it is running.")
        if around.type is StateType.RUNNING:
            return ACCEPT
        return Reject(
            f"Flow run {task.flow_run_id} is paused: the task run can start once it is resumed.",
            propose(
                StateType.PAUSED,
                name="NotReady",
                details=StateDetails(
                    pause_timeout=around.details.pause_timeout,
                    pause_reschedule=around.details.pause_reschedule,
                ),
            ),
        )
