"""A task run knows in which attempt of its flow run it ran."""

from __future__ import annotations

from armillary.errors import RunNotFound
from armillary.orchestration.policies import RunChange
from armillary.orchestration.rule import Phase, Rule
from armillary.orchestration.states import State, StateType
from armillary.orchestration.transition import Transition


class TaskRunsKnowTheirFlowRunsAttempt(Rule):
    """Entering RUNNING notes how often the flow run had started."""

    rows = ("2.9 #9",)
    phase = Phase.REPLACE
    subjects = frozenset({"task_run"})
    policies = frozenset({"core", "background"})
    proposed = frozenset({StateType.RUNNING})

    def afterwards(self, transition: Transition, written: State | None) -> RunChange | None:  # noqa: ARG002
        """Copy the flow run's count; a flow run that is gone is an error of who asks."""
        task = transition.task
        if task.flow_run_id is None:
            return None
        if not task.flow_run_found:
            message = (
                f"Task run {task.id} cannot run: its flow run {task.flow_run_id} was not found. "
                "It may have been deleted."
            )
            raise RunNotFound(message)
        return RunChange(flow_run_run_count=task.flow_run_count)
