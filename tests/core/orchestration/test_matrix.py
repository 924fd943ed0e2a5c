"""The matrix of outcomes holds for any run, whatever its facts."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.orchestration.policies import FlowRunPolicy
from armillary.orchestration.states import (
    DEFAULT_NAMES,
    Proposal,
    State,
    StateDetails,
    StateType,
)
from armillary.orchestration.transition import Client, FlowRunFacts, Transition
from tests.core.orchestration.examples import POLICIES, code, decided, flow_transition
from tests.core.orchestration.rows import read_cells
from tests.core.orchestration.vocabulary import DATA, NOW

ROWS = Path(__file__).parents[2] / "scenarios" / "rows.txt"
CELLS = read_cells(ROWS.read_text("utf-8"))
CORE, MINIMAL = POLICIES.of("flow_run", "core"), POLICIES.of("flow_run", "minimal")
KINDS = {
    "none": "",
    "PAUSED": "PAUSED pause_timeout=+60s",
    "PAUSED:expired": "PAUSED pause_timeout=-60s",
    "COMPLETED:persisted": "COMPLETED data=kept",
    "COMPLETED/FAILED/CRASHED": "FAILED",
}
CANCELLED_EVEN_BY_FORCE = {("SCHEDULED", "CANCELLING")}
REFUSED_EVEN_BY_FORCE = {("COMPLETED:persisted", "COMPLETED")}


@pytest.mark.parametrize("cell", sorted(c for c in CELLS if c[0] != "none"), ids=" to ".join)
def test_the_same_transition_again_stays(cell: tuple[str, str]) -> None:
    initial = KINDS.get(cell[0], cell[0])
    again = flow_transition(f"{initial} transition_id=one", f"{cell[1]} transition_id=one")
    outcome = decided(CORE, again)
    assert (code(outcome), outcome.change) == ("R", again.change)


@pytest.mark.parametrize("cell", sorted(CELLS), ids=" to ".join)
def test_force_is_accepted_but_for_two_guards(cell: tuple[str, str]) -> None:
    outcome = decided(MINIMAL, flow_transition(KINDS.get(cell[0], cell[0]), cell[1]))
    if cell in CANCELLED_EVEN_BY_FORCE:
        assert code(outcome) == "R>CANCELLED"
    elif cell in REFUSED_EVEN_BY_FORCE:
        assert code(outcome) == "R"
    else:
        assert code(outcome) == "A"


times = st.none() | st.integers(-3600, 3600).map(lambda s: NOW + timedelta(seconds=s))
names = st.sampled_from(["", "Late", "Resuming", "Suspended", "Submitting", "AwaitingRetry"])
details = st.builds(
    StateDetails,
    scheduled_time=times,
    pause_timeout=times,
    pause_reschedule=st.booleans(),
    pause_key=st.sampled_from([None, "a", "b"]),
)
contents = st.none() | st.sampled_from([msgspec.Raw(raw) for raw in DATA.values()])
kinds = st.sampled_from(sorted(StateType))
policies = st.builds(
    FlowRunPolicy,
    retries=st.none() | st.integers(0, 3),
    retry_delay=st.none() | st.integers(0, 600),
    pause_keys=st.none() | st.lists(st.sampled_from(["a", "b"]), unique=True),
    resuming=st.booleans(),
    retry_type=st.sampled_from([None, "in_process", "reschedule"]),
)
facts = st.builds(
    FlowRunFacts,
    id=st.just("r"),
    deployment_id=st.sampled_from([None, "d"]),
    parent_task_run_id=st.sampled_from([None, "p"]),
    infrastructure_pid=st.sampled_from([None, "", "pid"]),
    run_count=st.integers(0, 4),
    policy=policies,
)


def _state(kind: StateType, name: str, data: msgspec.Raw | None, more: StateDetails) -> State:
    called = name or DEFAULT_NAMES[kind]
    return State(id="old", type=kind, name=called, timestamp=NOW, data=data, details=more)


def _proposal(kind: StateType, name: str, data: msgspec.Raw | None, more: StateDetails) -> Proposal:
    return Proposal(type=kind, name=name or DEFAULT_NAMES[kind], data=data, details=more)


transitions = st.builds(
    Transition,
    initial=st.none() | st.builds(_state, kinds, names, contents, details),
    proposed=st.builds(_proposal, kinds, names, contents, details),
    now=st.just(NOW),
    flow_run=facts,
    client=st.builds(Client, version=st.none(), prerelease=st.none(), api=st.none()),
)


def row_of(initial: State | None) -> str:
    """Find the matrix row of a state."""
    if initial is None:
        return "none"
    if initial.type is StateType.PAUSED:
        deadline = initial.details.pause_timeout
        return "PAUSED:expired" if deadline and deadline < NOW else "PAUSED"
    if initial.type is StateType.COMPLETED and initial.persisted:
        return "COMPLETED:persisted"
    if initial.type in {StateType.COMPLETED, StateType.FAILED, StateType.CRASHED}:
        return "COMPLETED/FAILED/CRASHED"
    return str(initial.type)


@given(transitions)
def test_any_run_meets_an_outcome_that_its_cell_names(transition: Transition) -> None:
    initial, proposed = transition.initial, transition.proposed
    allowed = set(CELLS[row_of(initial), str(proposed.type)])
    if initial is not None and proposed.name == "Late" and proposed.type is StateType.SCHEDULED:
        allowed.add("R")
    suspended = initial is not None and initial.details.pause_reschedule
    if row_of(initial).startswith("PAUSED") and suspended and not transition.run.deployment_id:
        allowed.add("R")
    assert code(decided(CORE, transition)) in allowed


@given(transitions)
def test_by_force_any_run_meets_only_the_two_guards(transition: Transition) -> None:
    outcome = decided(MINIMAL, transition)
    assert code(outcome) in {"A", "R", "R>CANCELLED"}
    if code(outcome) == "R":
        assert transition.initial is not None
        assert transition.initial.persisted
        assert not transition.proposed.persisted


@given(transitions)
def test_a_run_that_stays_keeps_its_policy_but_for_resuming(transition: Transition) -> None:
    outcome = decided(CORE, transition)
    if outcome.state is None:
        assert outcome.change == transition.change


@given(transitions)
def test_what_is_scheduled_is_kept_from_workers_only_while_its_process_retries(
    transition: Transition,
) -> None:
    outcome = decided(CORE, transition)
    if outcome.state is None or outcome.state.type is not StateType.SCHEDULED:
        return
    kept = (outcome.change.policy or transition.run.policy).retry_type == "in_process"
    assert kept == (transition.proposed.type is StateType.FAILED)
