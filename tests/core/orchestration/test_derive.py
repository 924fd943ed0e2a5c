"""The columns of a run follow from its states alone."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.orchestration.derive import derive, policy_after, timestamp_after
from armillary.orchestration.policies import NO_CHANGE, FlowRunPolicy, RunChange
from armillary.orchestration.states import TERMINAL, State, StateType
from armillary.orchestration.transition import Client, FlowRunFacts, TaskRunFacts
from tests.core.orchestration.examples import a_state, in_seconds
from tests.core.orchestration.vocabulary import NOW, state_of

RUNS = [FlowRunFacts(id="r"), TaskRunFacts(id="t")]
TICK = timedelta(microseconds=1)


def derived(initial: str, new: str, run: Any = RUNS[0], change: RunChange = NO_CHANGE) -> Any:
    return derive(run, state_of(initial), a_state(f"{new} timestamp=+0s"), change)


def test_a_state_is_later_than_the_one_before() -> None:
    before = a_state("RUNNING timestamp=+5s")
    assert timestamp_after(before, NOW) == in_seconds(5) + TICK
    assert timestamp_after(before, in_seconds(5)) == in_seconds(5) + TICK
    assert timestamp_after(before, in_seconds(6)) == in_seconds(6)
    assert timestamp_after(None, NOW) == NOW


@pytest.mark.parametrize("run", RUNS, ids=["flow run", "task run"])
def test_a_run_begins_when_it_first_runs(run: Any) -> None:
    assert derived("PENDING", "RUNNING", run).start_time == NOW
    begun = msgspec.structs.replace(run, start_time=in_seconds(-9))
    assert derived("PENDING", "RUNNING", begun).start_time == in_seconds(-9)


@pytest.mark.parametrize("kind", sorted({*StateType} - TERMINAL - {StateType.RUNNING}))
def test_a_run_has_not_begun_before_it_runs(kind: StateType) -> None:
    assert derived("", kind).start_time is None


@pytest.mark.parametrize("kind", sorted(TERMINAL))
def test_a_run_that_ends_without_having_run_begins_as_it_ends(kind: StateType) -> None:
    columns = derived("SCHEDULED", kind)
    assert (columns.start_time, columns.end_time) == (NOW, NOW)


@pytest.mark.parametrize("kind", sorted(TERMINAL))
def test_the_first_end_stands(kind: StateType) -> None:
    ended = FlowRunFacts(id="r", start_time=in_seconds(-9), end_time=in_seconds(-3))
    assert derived("FAILED", kind, ended).end_time == in_seconds(-3)


@pytest.mark.parametrize("kind", sorted({*StateType} - TERMINAL))
def test_a_run_that_leaves_its_end_has_none(kind: StateType) -> None:
    ended = FlowRunFacts(id="r", start_time=in_seconds(-9), end_time=in_seconds(-3))
    assert derived("FAILED", kind, ended).end_time is None


def test_time_is_counted_while_running_and_added_up() -> None:
    run = FlowRunFacts(id="r", total_run_time=12.5)
    assert derived("RUNNING timestamp=-10s", "PAUSED", run).total_run_time == 22.5
    assert derived("RUNNING timestamp=-10s", "RUNNING", run).total_run_time == 22.5
    assert derived("PAUSED timestamp=-10s", "RUNNING", run).total_run_time == 12.5
    assert derived("", "RUNNING", run).total_run_time == 12.5


def test_a_run_is_expected_when_it_was_first_due() -> None:
    assert derived("", "SCHEDULED scheduled_time=+60s").expected_start_time == in_seconds(60)
    assert derived("", "SCHEDULED").expected_start_time == NOW
    assert derived("", "PENDING").expected_start_time == NOW
    expected = FlowRunFacts(id="r", expected_start_time=in_seconds(-9))
    later = derived("SCHEDULED", "SCHEDULED scheduled_time=+60s", expected)
    assert later.expected_start_time == in_seconds(-9)


def test_a_run_is_due_while_it_is_scheduled() -> None:
    due = FlowRunFacts(id="r", next_scheduled_start_time=in_seconds(5))
    moved = derived("SCHEDULED scheduled_time=+5s", "SCHEDULED scheduled_time=+60s", due)
    assert moved.next_scheduled_start_time == in_seconds(60)
    assert derived("SCHEDULED", "PENDING", due).next_scheduled_start_time is None
    assert derived("RUNNING", "SCHEDULED").next_scheduled_start_time == NOW


@pytest.mark.parametrize("kind", sorted(StateType))
def test_only_entering_running_counts(kind: StateType) -> None:
    run = FlowRunFacts(id="r", run_count=3)
    assert derived("RUNNING", kind, run).run_count == (4 if kind is StateType.RUNNING else 3)


def test_resuming_is_no_new_attempt_unless_the_client_knows_no_pauses() -> None:
    run = FlowRunFacts(id="r", run_count=3, policy=FlowRunPolicy(resuming=True))
    state = a_state("RUNNING")
    assert derive(run, None, state, NO_CHANGE).run_count == 3
    assert derive(run, None, state, NO_CHANGE, client=Client(api=(0, 8, 4))).run_count == 3
    assert derive(run, None, state, NO_CHANGE, client=Client(api=(0, 8, 3))).run_count == 4


def test_what_rules_changed_counts_before_what_is_stored() -> None:
    run = FlowRunFacts(id="r", run_count=3, policy=FlowRunPolicy(resuming=True))
    change = RunChange(run_count=0, policy=FlowRunPolicy(resuming=False))
    assert derived("FAILED", "RUNNING", run, change).run_count == 1


@pytest.mark.parametrize("kind", sorted(StateType))
def test_a_run_is_resuming_until_it_runs_or_ends(kind: StateType) -> None:
    run = FlowRunFacts(id="r", policy=FlowRunPolicy(resuming=True, pause_keys=["a"]))
    changed = policy_after(run, a_state(kind), NO_CHANGE).policy
    over = kind is StateType.RUNNING or kind in TERMINAL
    assert changed == (FlowRunPolicy(resuming=False, pause_keys=["a"]) if over else None)


def test_a_client_that_knows_no_pauses_leaves_resuming_as_it_is() -> None:
    run = FlowRunFacts(id="r", policy=FlowRunPolicy(resuming=True))
    old = Client(api=(0, 8, 3))
    assert policy_after(run, a_state("RUNNING"), NO_CHANGE, client=old) == NO_CHANGE


histories = st.lists(
    st.tuples(st.sampled_from(sorted(StateType)), st.integers(-(10**6), 10**8)),
    min_size=1,
    max_size=12,
)


@given(histories, st.sampled_from(RUNS))
def test_any_history_leaves_sound_columns(
    history: list[tuple[StateType, int]], run: FlowRunFacts | TaskRunFacts
) -> None:
    state: State | None = None
    moment, entered = NOW, 0
    for kind, micros in history:
        moment += timedelta(microseconds=micros)
        stamp = timestamp_after(state, moment)
        new = msgspec.structs.replace(a_state(kind), timestamp=stamp)
        columns = derive(run, state, new, NO_CHANGE)
        run = msgspec.structs.replace(run, **msgspec.structs.asdict(columns))
        assert state is None or state.timestamp < new.timestamp
        state = new
        entered += kind is StateType.RUNNING
        assert run.run_count == entered
        assert (run.end_time is not None) == (kind in TERMINAL)
        assert (run.next_scheduled_start_time is not None) == (kind is StateType.SCHEDULED)
        assert run.end_time is None or (run.start_time or NOW) <= run.end_time
        assert run.total_run_time >= 0
        assert run.expected_start_time is not None
        assert entered == 0 or run.start_time is not None
