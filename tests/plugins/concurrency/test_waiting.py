"""A slot that is given back is taken soon, and nobody asks in a storm."""

import random
from itertools import pairwise

import pytest
from msgspec.structs import replace

from armillary.concurrency.limits import new_limit
from armillary.concurrency.slots import Limit, refused, taken
from armillary_plugins.concurrency.waiting import WaitingRoom, mean_wait

SECOND = 1_000_000


def limit(slots: int = 1, *, used: int | None = None, decay: float = 0.0) -> Limit:
    full = slots if used is None else used
    return replace(new_limit("l", "l", slots, 0), active_slots=full, decay=decay)


@pytest.mark.parametrize("occupancy", [0.1, 2.0, 3600.0])
def test_who_waits_alone_asks_at_least_every_second(occupancy: float) -> None:
    room = WaitingRoom()
    chance = random.Random(1)  # noqa: S311 - no secret
    full, now = replace(limit(), occupancy=occupancy), 0
    for _ in range(200):
        full = refused(full, 1, now)
        seconds = room.send_away([full], 1, now, chance=chance.random())
        assert 0.05 <= seconds <= 0.33
        now += int(seconds * SECOND)


@pytest.mark.parametrize("waiters", [1, 5, 40, 300])
def test_together_they_ask_often_enough_but_not_in_a_storm(waiters: int) -> None:
    room = WaitingRoom()
    chance = random.Random(1)  # noqa: S311 - no secret
    full = limit()
    due = [0] * waiters
    asked: list[int] = []
    while min(due) < 60 * SECOND:
        who = due.index(min(due))
        now = due[who]
        asked.append(now)
        full = refused(full, 1, now)
        due[who] = now + int(room.send_away([full], 1, now, chance=chance.random()) * SECOND)
    late = [moment for moment in asked if moment > 30 * SECOND]
    assert len(late) / 30 < 40
    assert max(b - a for a, b in pairwise(late)) < SECOND


def test_those_who_came_back_are_not_counted_as_waiting() -> None:
    room = WaitingRoom()
    for _ in range(50):
        room.send_away([limit()], 1, 0, chance=0.5)
    assert room.waiting("l", 0) == 50
    assert room.waiting("l", 60 * SECOND) == 0
    assert room.waiting("other", 0) == 0


def test_slots_that_are_held_briefly_are_asked_for_sooner() -> None:
    brief = replace(limit(10), occupancy=0.1)
    assert mean_wait(brief, 1, 0, waiting=0) < 0.05
    assert mean_wait(limit(10), 1, 0, waiting=0) == pytest.approx(0.2)


def test_a_rate_is_asked_for_when_the_next_slot_has_decayed() -> None:
    full = taken(limit(2, used=1, decay=0.5), 1, 0)
    assert mean_wait(full, 1, 0, waiting=0) == 2
    assert mean_wait(full, 1, SECOND, waiting=0) == 1
    assert mean_wait(full, 2, 0, waiting=0) == 4
    assert mean_wait(full, 1, 0, waiting=3) == 8


def test_the_fullest_of_several_limits_decides() -> None:
    room = WaitingRoom()
    slow = limit(1, used=4, decay=0.5)
    assert room.send_away([limit(), slow], 1, 0, chance=0.5) > 4
