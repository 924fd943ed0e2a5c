"""How long a run waits for its scheduled time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.orchestration.rules.wait_for_scheduled_time import seconds_to_wait
from tests.core.orchestration.vocabulary import NOW

micros = st.integers(-(10**13), 10**13)


@pytest.mark.parametrize(
    ("due_in", "seconds"),
    [(0.499999, 0), (0.5, 0), (0.500001, 1), (1.0, 1), (1.5, 1), (1.500001, 2), (-0.5, -1), (0, 0)],
)
def test_more_than_half_a_second_is_a_second(due_in: float, seconds: int) -> None:
    assert seconds_to_wait(NOW + timedelta(seconds=due_in), NOW) == seconds


@given(micros)
def test_it_is_the_nearest_whole_second(due_in: int) -> None:
    seconds = seconds_to_wait(NOW + timedelta(microseconds=due_in), NOW)
    assert isinstance(seconds, int)
    assert abs(seconds * 1_000_000 - due_in) <= 500_000


@given(micros)
def test_it_is_floor_plus_the_rounded_rest(due_in: int) -> None:
    gap = timedelta(microseconds=due_in)
    expected = due_in // 1_000_000 + round(gap.microseconds / 1e6)
    assert seconds_to_wait(NOW + gap, NOW) == expected


@given(micros, micros)
def test_who_waits_and_asks_again_never_waits_longer(due_in: int, earlier: int) -> None:
    due = NOW + timedelta(microseconds=due_in)
    later = NOW + timedelta(microseconds=abs(earlier))
    assert seconds_to_wait(due, later) <= seconds_to_wait(due, NOW)
