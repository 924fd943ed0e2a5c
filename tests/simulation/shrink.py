"""Makes a failing plan short: leaves out what the failure does not need, within a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tests.simulation.outcome import Outcome
from tests.simulation.plan import Plan

_RUNS = 60
_SECONDS = 60.0
_MARGIN = 1.0
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LISTED = re.compile(r"\[.*\]|\{.*\}", re.DOTALL)
_WORD = re.compile(r"\b[A-Z]{4,}\b")
_NUMBER = re.compile(r"\d+")


def kind_of(wrong: str) -> str:
    """Say what is wrong without saying of what: when, ids, numbers and states left out."""
    text = wrong.partition(": ")[2]
    for pattern in (_ID, _LISTED, _WORD, _NUMBER):
        text = pattern.sub("…", text)
    return text


def kinds_of(wrong: Sequence[str]) -> set[str]:
    """The kinds of everything that is wrong."""
    return {kind_of(each) for each in wrong}


@dataclass
class Shrinking:
    """One search for a shorter plan: what it found, and what that took."""

    carry_out: Callable[[Plan], Outcome]
    now: Callable[[], float]
    best: Outcome
    runs: int = 0

    def __post_init__(self) -> None:
        self._until = self.now() + _SECONDS
        self._kinds = kinds_of(self.best.wrong)

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.runs >= _RUNS or self.now() >= self._until

    def run(self) -> Outcome:
        """Shorten until nothing more can be left out, or the budget is spent."""
        self._shorten()
        self._leave_out()
        self._shorten()
        return self.best

    def _fails(self, plan: Plan) -> bool:
        """Try a plan; it becomes the best if it fails in the same way."""
        if self.spent:
            return False
        self.runs += 1
        outcome = self.carry_out(plan)
        if self._kinds.isdisjoint(kinds_of(outcome.wrong)):
            return False
        self.best = outcome
        return True

    def _shorten(self) -> None:
        """End the life where something was wrong first, then halve it as long as that does."""
        if self.best.ended < self.best.plan.life:
            self._fails(self.best.plan.cut(self.best.ended + _MARGIN))
        while self._fails(self.best.plan.cut(self.best.plan.life / 2)):
            continue
        self._fails(self.best.plan.cut(self.best.plan.life * 0.75))

    def _leave_out(self) -> None:
        """Leave out half of the steps, then quarters, down to each by itself."""
        size = (len(self.best.plan.steps) + 1) // 2
        while size and not self.spent:
            if not self._left_out(size) and size == 1:
                return
            size = max(1, size // 2) if size > 1 else 1

    def _left_out(self, size: int) -> bool:
        numbers = self.best.plan.numbers
        shorter = False
        for start in range(0, len(numbers), size):
            without = _without(self.best.plan.numbers, numbers[start : start + size])
            shorter |= self._fails(self.best.plan.keeping(without))
        return shorter


def shrink(
    failing: Outcome, carry_out: Callable[[Plan], Outcome], now: Callable[[], float]
) -> tuple[Outcome, int]:
    """Find a shorter plan that fails in the same way; with how many were tried."""
    search = Shrinking(carry_out, now, failing)
    return search.run(), search.runs


def _without(numbers: Sequence[int], left_out: Collection[int]) -> list[int]:
    return [number for number in numbers if number not in left_out]
