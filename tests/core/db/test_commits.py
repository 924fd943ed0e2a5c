"""Groups of those who write, and the thread in which they are made durable."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from armillary.db.commits import CommitThread
from armillary.db.sqlite_writer import _GROUP, share


def test_two_halves_take_turns() -> None:
    waiting, last, sizes = 15, 1, []
    for _ in range(6):
        taken = share(waiting, last)
        waiting, last = waiting - taken + last, taken  # who was answered asks again
        sizes.append(taken)
    assert sizes == [8] * 6


def test_what_has_gathered_before_the_first_group_is_not_parted() -> None:
    assert share(60, 0) == 60


def test_many_are_not_parted() -> None:
    assert share(60, 4) == 60


def test_a_few_are_not_parted() -> None:
    assert [share(waiting, 1) for waiting in range(1, 8)] == [1, 2, 3, 4, 4, 4, 4]


@given(st.integers(1, 10_000), st.integers(0, _GROUP))
def test_somebody_is_always_taken_and_never_too_many(waiting: int, last: int) -> None:
    assert 1 <= share(waiting, last) <= min(waiting, _GROUP)


def test_what_is_handed_over_is_done_in_order_in_a_thread_of_its_own() -> None:
    done: list[tuple[int, int]] = []
    thread = CommitThread("commit")
    for number in range(100):
        thread.submit(lambda each: done.append((each, threading.get_ident())), number)
    thread.shutdown()
    assert [each for each, _ in done] == list(range(100))
    assert threading.get_ident() not in {where for _, where in done}


def test_work_has_begun_when_it_is_handed_over() -> None:
    thread = CommitThread("commit")
    first = threading.Event()
    thread.submit(first.wait)  # returns although the work is not done
    first.set()
    thread.shutdown()
