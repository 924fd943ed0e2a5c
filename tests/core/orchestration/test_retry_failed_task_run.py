"""When a failed task run is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.orchestration.policies import TaskRunPolicy
from armillary.orchestration.rules.retry_failed_task_run import retry_delay, spread
from armillary.orchestration.states import StateType
from tests.core.orchestration.examples import POLICIES, decided, in_seconds, task_transition

chances = st.floats(0, 1, exclude_max=True)
means = st.floats(1e-3, 1e6)
factors = st.floats(1e-3, 1e3)


@pytest.mark.parametrize(
    ("delay", "run_count", "seconds"),
    [
        (None, 1, 0),
        (7, 1, 7),
        (2.5, 4, 2.5),
        ([], 1, 0),
        ([1, 2, 4], 1, 1),
        ([1, 2, 4], 3, 4),
        ([1, 2, 4], 9, 4),
        ([1, 2, 4], 0, 1),
        (-5, 1, 0),
    ],
)
def test_the_delay_is_that_of_the_attempt(
    delay: float | list[float | int] | None, run_count: int, seconds: float
) -> None:
    assert retry_delay(TaskRunPolicy(retry_delay=delay), run_count, 0.5) == seconds


@given(chances)
def test_without_a_delay_there_is_no_jitter(chance: float) -> None:
    assert retry_delay(TaskRunPolicy(retry_delay=0, retry_jitter_factor=1), 1, chance) == 0


@given(chances)
def test_without_a_factor_there_is_no_jitter(chance: float) -> None:
    assert retry_delay(TaskRunPolicy(retry_delay=9, retry_jitter_factor=0), 1, chance) == 9


@given(means, factors, chances)
def test_jitter_stays_within_its_bounds(mean: float, factor: float, chance: float) -> None:
    drawn = spread(mean, factor, chance)
    assert 0 <= drawn <= mean * (1 + factor) * (1 + 1e-9)


@given(means, factors, chances, chances)
def test_a_greater_chance_is_a_longer_delay(
    mean: float, factor: float, one: float, other: float
) -> None:
    low, high = sorted([one, other])
    assert spread(mean, factor, low) <= spread(mean, factor, high) * (1 + 1e-9)


@pytest.mark.parametrize("factor", [0.1, 0.5, 1, 3])
def test_jitter_keeps_the_mean_about_where_it_is(factor: float) -> None:
    drawn = [spread(10, factor, (step + 0.5) / 1000) for step in range(1000)]
    assert sum(drawn) / len(drawn) == pytest.approx(10, rel=0.15)


@given(st.integers(0, 9), st.none() | st.integers(0, 9))
def test_a_failure_is_retried_exactly_while_retries_are_left(
    run_count: int, retries: int | None
) -> None:
    failing = task_transition(
        "RUNNING", "FAILED", run_count=run_count, policy=TaskRunPolicy(retries=retries)
    )
    state = decided(POLICIES.of("task_run", "core"), failing).state
    assert state is not None
    assert (state.type is StateType.SCHEDULED) == (retries is not None and run_count <= retries)


def test_a_client_may_leave_open_whether_it_would_retry() -> None:
    failing = task_transition(
        "RUNNING", "FAILED", run_count=1, policy=TaskRunPolicy(retries=1, retry_delay=5)
    )
    state = decided(POLICIES.of("task_run", "core"), failing).state
    assert state is not None
    assert state.details.scheduled_time == in_seconds(5)
