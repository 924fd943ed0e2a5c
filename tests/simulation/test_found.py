"""What the simulation has found: each plan saw the defect, sees it without the mend, and no more.

The plans are written out, since what a seed comes to changes whenever somebody else comes along.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from armillary.orchestration.rules.claimed_once import FlowRunsAreClaimedOnce
from armillary.orchestration.rules.retried_by_its_process import RetriesAreMadeByTheirProcess
from armillary.orchestration.states import TERMINAL
from armillary.orchestration.verdicts import ACCEPT
from armillary_plugins.concurrency import services
from tests.simulation.outcome import Outcome
from tests.simulation.plan import Arrival, ClockJump, Plan, Step, Weather
from tests.simulation.world import carry_out

LIFE = 900.0


@dataclass(frozen=True)
class Found:
    """A defect: how to have it again, who meets it, what else happens, and how it shows."""

    owner: Any
    name: str
    as_it_was: Any
    roles: Sequence[str]
    seed: int
    seen_as: str
    more: Sequence[Step] = ()

    def outcome(self) -> Outcome:
        steps = [
            Arrival(number=place, at=1.0 * place, role=role, name=f"{role} {place}",
                    seed=self.seed + place, leaves=LIFE)
            for place, role in enumerate(self.roles, 1)
        ]  # fmt: skip
        return carry_out(Plan(seed=self.seed, life=LIFE, steps=(*steps, *self.more)))


_decide: Callable[..., Any] = FlowRunsAreClaimedOnce.__mro__[1].__dict__["decide"]


def _claims_the_ended(rule: Any, transition: Any) -> Any:
    ended = transition.initial is not None and transition.initial.type in TERMINAL
    return ACCEPT if ended else _decide(rule, transition)


FOUND = {
    "a worker whose poll is old does not run what has ended": Found(
        FlowRunsAreClaimedOnce, "decide", _claims_the_ended,
        ("operator", "operator", "runner", "runner", "runner", "worker", "worker", "worker"),
        100, "went from",
        (Weather(number=90, at=10.0, until=LIFE,
                 rates={"lost_request": 0.3, "lost_answer": 0.3, "slow": 0.3}),),
    ),
    "a retry is made by the process that failed, not by another one too": Found(
        RetriesAreMadeByTheirProcess, "decide", lambda *_: ACCEPT,
        ("editor", "operator", "operator", "runner", "runner", "runner"), 100, "is executed twice",
    ),
    "a clock put forward takes no slot from who holds it": Found(
        services, "_LATE", 1e9, ("holder",) * 6, 100, "taken by living holders",
        tuple(ClockJump(number=90 + at, at=100.0 * at, seconds=400.0) for at in range(1, 8)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FOUND))
def test_what_was_found_is_mended_and_would_be_found_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = FOUND[name]
    assert found.outcome().wrong == []
    monkeypatch.setattr(found.owner, found.name, found.as_it_was)
    assert any(found.seen_as in wrong for wrong in found.outcome().wrong)
