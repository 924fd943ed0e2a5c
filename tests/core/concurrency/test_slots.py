"""Slots are counted right at any moment, and whatever is done to a limit in between."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.concurrency.slots import (
    Limit,
    denied,
    given_back,
    has_room,
    refused,
    settled,
    taken,
    used,
)

SECOND = 1_000_000
BARE: dict[str, Any] = {
    "id": "l", "created": 0, "updated": 0, "name": "l", "active": True, "limit": 5,
    "active_slots": 0, "denied_slots": 0, "decay": 0.0, "occupancy": 2.0,
}  # fmt: skip
RATES = st.sampled_from([0.0, 0.001, 0.25, 1 / 3, 1.0, 2.5, 1000.0])
LIMITS = st.builds(
    Limit,
    id=st.just("l"),
    created=st.just(0),
    updated=st.integers(0, 10**12),
    name=st.sampled_from(["l", "tag:t"]),
    active=st.booleans(),
    limit=st.integers(0, 50),
    active_slots=st.integers(0, 60),
    denied_slots=st.integers(0, 60),
    decay=RATES,
    occupancy=st.floats(0.0, 1000),
)
PAUSES = st.integers(0, 100 * SECOND)


def limit(**more: Any) -> Limit:
    return Limit(**{**BARE, **more})


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def test_slots_without_decay_stay_taken() -> None:
    assert used(limit(active_slots=3), at(10**6)) == 3


@pytest.mark.parametrize(
    ("seconds", "left"), [(0, 5), (1.9, 5), (2, 4), (3.99, 4), (4, 3), (9.99, 1), (10, 0), (99, 0)]
)
def test_only_whole_slots_decay(seconds: float, left: int) -> None:
    assert used(limit(active_slots=5, decay=0.5), at(seconds)) == left


@pytest.mark.parametrize(
    ("name", "occupancy", "seconds", "left"),
    [
        ("l", 2.0, 1.9, 9),
        ("l", 2.0, 2.0, 8),
        ("l", 500.0, 30.0, 8),
        ("tag:x", 500.0, 10.0, 8),
        ("l", 0.0, 0.1, 8),
    ],
)
def test_denials_decay_by_how_long_slots_are_held(
    name: str, occupancy: float, seconds: float, left: int
) -> None:
    assert denied(limit(name=name, occupancy=occupancy, denied_slots=9), at(seconds)) == left


def test_denials_of_a_decaying_limit_decay_as_it_does() -> None:
    assert denied(limit(denied_slots=9, decay=0.5), at(4)) == 7


def test_a_clock_that_went_back_decays_nothing() -> None:
    assert used(limit(active_slots=5, decay=1.0, updated=at(100)), at(50)) == 5


def test_changes_do_not_stall_decay() -> None:
    changing = limit(active_slots=5, decay=1.0)
    for tenth in range(1, 101):
        changing = refused(changing, 1, at(tenth / 10))
    assert used(changing, at(4.9)) == 0
    stalled = limit(active_slots=5, decay=1.0)
    for tenth in range(1, 50):
        stalled = refused(stalled, 1, at(tenth / 10))
        assert stalled.active_slots == 5 - tenth // 10


def test_what_is_taken_after_all_has_decayed_is_held_for_its_whole_time() -> None:
    again = taken(limit(active_slots=5, decay=1.0), 1, at(10.9))
    assert used(again, at(11.8)) == 1
    assert used(again, at(11.9)) == 0


@given(LIMITS, PAUSES)
def test_folding_decay_in_changes_no_count_and_is_done_once(given_limit: Limit, pause: int) -> None:
    now = given_limit.updated + pause
    folded = settled(given_limit, now)
    assert given_limit.updated <= folded.updated <= now
    assert (used(folded, now), denied(folded, now)) == (
        used(given_limit, now),
        denied(given_limit, now),
    )
    assert settled(folded, now) == folded


@given(LIMITS, st.lists(PAUSES, min_size=1, max_size=5))
def test_how_often_it_is_folded_in_does_not_matter(given_limit: Limit, pauses: list[int]) -> None:
    folded, now = given_limit, given_limit.updated
    for pause in pauses:
        now += pause
        folded = settled(folded, now)
    expected = used(given_limit, now)
    assert expected <= used(folded, now) <= expected + 1


@given(LIMITS, st.integers(1, 60), PAUSES)
def test_slots_are_taken_where_they_fit_and_never_of_an_inactive_limit(
    given_limit: Limit, slots: int, pause: int
) -> None:
    now = given_limit.updated + pause
    room = has_room(given_limit, slots, now)
    assert room == (given_limit.active and used(given_limit, now) + slots <= given_limit.limit)
    if room:
        full = taken(given_limit, slots, now)
        assert used(full, now) == used(given_limit, now) + slots
        assert given_back(full, slots, now).active_slots == used(given_limit, now)


@given(LIMITS, st.integers(1, 60), PAUSES)
def test_no_more_is_given_back_than_there_is(given_limit: Limit, slots: int, pause: int) -> None:
    now = given_limit.updated + pause
    after = given_back(given_limit, slots, now)
    assert after.active_slots == max(0, used(given_limit, now) - slots)
    assert after.occupancy == given_limit.occupancy


@pytest.mark.parametrize(
    ("seconds", "slots", "average"), [(12.0, 1, 3.0), (24.0, 2, 3.0), (0.0, 1, 1.81)]
)
def test_the_average_moves_towards_how_long_slots_were_held(
    seconds: float, slots: int, average: float
) -> None:
    after = given_back(limit(active_slots=5), slots, 0, seconds=seconds)
    assert after.occupancy == pytest.approx(average)


def test_a_limit_of_zero_has_no_average_to_move() -> None:
    assert given_back(limit(limit=0), 1, 0, seconds=9.0).occupancy == 2.0


def test_counters_stay_within_what_databases_keep() -> None:
    most = 2**31 - 1
    denials = limit(denied_slots=most)
    assert refused(denials, most, 0).denied_slots == most
    assert used(limit(active_slots=most, decay=1e300), at(10**6)) == 0


def test_refusals_are_counted() -> None:
    assert refused(limit(denied_slots=1), 2, 0) == msgspec.structs.replace(limit(), denied_slots=3)
