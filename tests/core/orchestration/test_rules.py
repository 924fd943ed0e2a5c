"""Details of single rules that no case shows, and the order they have to keep."""

from datetime import timedelta

import pytest

from armillary.errors import RunNotFound
from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.rule import Phase
from armillary.orchestration.rules import RULES
from armillary.orchestration.states import StateType, propose
from armillary.orchestration.transition import Transition
from armillary.orchestration.verdicts import Accept
from tests.core.orchestration.cases import changes
from tests.core.orchestration.examples import (
    POLICIES,
    a_state,
    code,
    decided,
    flow_transition,
    in_seconds,
    names,
    policy_of,
    task_transition,
    unit_rule,
)

CORE = POLICIES.of("flow_run", "core")
TAKES_SLOT = unit_rule("TakesSlot", proposed=frozenset({StateType.PENDING}))
WITH_SLOTS = policy_of(*RULES, TAKES_SLOT)


def test_there_is_a_rule_in_every_file_and_none_twice() -> None:
    assert len({rule.__module__ for rule in RULES}) >= 20
    assert len({rule.__name__ for rule in RULES}) == len(RULES)
    assert all(rule.__doc__ for rule in RULES)


def test_a_task_run_whose_flow_run_is_gone_does_not_start() -> None:
    starting = task_transition("PENDING", "RUNNING", flow_run_id="gone")
    outcome = decided(POLICIES.of("task_run", "core"), starting)
    with pytest.raises(RunNotFound, match="gone"):
        changes(outcome, starting, a_state("RUNNING"))


def test_a_paused_run_that_is_claimed_gives_its_slot_back_and_stays() -> None:
    outcome = decided(WITH_SLOTS, flow_transition("PAUSED", "PENDING", deployment_id="d"))
    assert code(outcome) == "R"
    assert "TakesSlot" in names(outcome.undo)


@pytest.mark.parametrize("kind", ["RUNNING", "FAILED", "COMPLETED"])
def test_a_run_that_cannot_be_claimed_takes_no_slot(kind: str) -> None:
    outcome = decided(WITH_SLOTS, flow_transition(kind, "PENDING", deployment_id="d"))
    assert (code(outcome), outcome.undo) == ("AB", ())


def test_a_slot_is_taken_before_the_scheduled_time_goes_along() -> None:
    lease = a_state("PENDING deployment_concurrency_lease_id=lease").details
    took = propose(StateType.PENDING, details=lease)
    outcome = decided(
        WITH_SLOTS,
        flow_transition("SCHEDULED scheduled_time=+20s", "PENDING"),
        Accept(took),
    )
    assert outcome.state is not None
    assert outcome.state.details.scheduled_time == in_seconds(20)
    assert outcome.state.details.deployment_concurrency_lease_id is not None


def test_whoever_waits_for_the_scheduled_time_has_reserved_before() -> None:
    reserved = unit_rule("RenewsLease", proposed=frozenset({StateType.RUNNING}))
    outcome = decided(
        policy_of(*RULES, reserved), flow_transition("PENDING scheduled_time=+9s", "RUNNING")
    )
    assert code(outcome) == "W"
    assert "RenewsLease" in names(outcome.undo)


def test_a_pause_on_its_deadline_is_not_over() -> None:
    on_time = flow_transition("PAUSED pause_timeout=+0s", "RUNNING")
    assert code(decided(CORE, on_time)) == "A"
    later = Transition(
        initial=on_time.initial,
        proposed=on_time.proposed,
        now=on_time.now + timedelta(microseconds=1),
        flow_run=on_time.flow_run,
    )
    assert code(decided(CORE, later)) == "R>FAILED"


def test_every_key_is_remembered_once_and_in_the_order_of_the_pauses() -> None:
    policy = FlowRunPolicy()
    for key in ("b", "a", "c"):
        pausing = flow_transition("RUNNING", f"PAUSED pause_key={key}", policy=policy)
        policy = (
            changes(decided(CORE, pausing), pausing, a_state(f"PAUSED pause_key={key}")).policy
            or policy
        )
    assert policy.pause_keys == ["b", "a", "c"]


def test_stored_pause_keys_may_be_null() -> None:
    pausing = flow_transition(
        "RUNNING", "PAUSED pause_key=a", policy=FlowRunPolicy(pause_keys=None)
    )
    change = changes(decided(CORE, pausing), pausing, a_state("PAUSED pause_key=a"))
    assert change.policy is not None
    assert change.policy.pause_keys == ["a"]


@pytest.mark.parametrize("name", ["late", "minimal"])
def test_nobody_waits_or_is_retried_outside_the_core_policy(name: str) -> None:
    phases = {rule.phase for rule in POLICIES.flow_run[name].rules}
    assert Phase.DELAY not in phases
    assert "FailedFlowRunsAreRetried" not in names(POLICIES.flow_run[name].rules)


def test_a_resumed_run_that_was_retried_in_process_is_resuming_and_for_workers() -> None:
    policy = FlowRunPolicy(retry_type="in_process")
    resuming = flow_transition(
        "PAUSED pause_reschedule=yes", "SCHEDULED name=Resuming", deployment_id="d", policy=policy
    )
    change = changes(decided(CORE, resuming), resuming, a_state("SCHEDULED"))
    assert change.policy == FlowRunPolicy(resuming=True)
