"""What came of a plan, and what was said on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.simulation.plan import Plan


@dataclass(frozen=True)
class Said:
    """What a client asked and was answered."""

    at: float
    who: str
    asked: str
    answered: str

    def __str__(self) -> str:
        return f"{self.at:9.3f} s  {self.who}: {self.asked} -> {self.answered}"


@dataclass(frozen=True)
class Outcome:
    """What a plan came to."""

    plan: Plan
    wrong: list[str]
    ended: float
    """When the first thing was seen to be wrong, or everybody was gone."""
    kills: int
    runs: int
    digest: str
    """Of every row there is: equal for two runs of a plan."""
    said: list[Said]

    def silent(self) -> Outcome:
        """The same without what was said, which is long."""
        return replace(self, said=[])
