"""What the simulation has found: each plan saw the defect, sees it without the mend, and no more.

The plans are written out, since what a seed comes to changes whenever somebody else comes along.
Chance goes another way as well whenever the server reads once more: a few seeds are tried.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from armillary.concurrency import absence
from armillary.db.unit import Unit
from armillary.orchestration.rules.claimed_once import FlowRunsAreClaimedOnce
from armillary.orchestration.rules.retried_by_its_process import RetriesAreMadeByTheirProcess
from armillary.orchestration.states import TERMINAL
from armillary.orchestration.verdicts import ACCEPT
from armillary_plugins.concurrency import services
from armillary_plugins.mark_crashed_runs import repository as crashed
from armillary_plugins.scheduler import repository as scheduler
from armillary_plugins.work_queue_monitor import repository as monitor
from tests.simulation.outcome import Outcome
from tests.simulation.plan import Arrival, ClockJump, Freeze, Plan, Step, Stop, Tuned, Weather
from tests.simulation.world import carry_out

LIFE = 900.0
_TRIES = 12


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

    def outcome(self, seed: int) -> Outcome:
        steps = [
            Arrival(number=place, at=1.0 * place, role=role, name=f"{role} {place}",
                    seed=seed + place, leaves=LIFE)
            for place, role in enumerate(self.roles, 1)
        ]  # fmt: skip
        return carry_out(Plan(seed=seed, life=LIFE, steps=(*steps, *self.more)))

    def shows(self, seed: int) -> bool:
        return any(self.seen_as in wrong for wrong in self.outcome(seed).wrong)


_decide: Callable[..., Any] = FlowRunsAreClaimedOnce.__mro__[1].__dict__["decide"]


def _claims_the_ended(rule: Any, transition: Any) -> Any:
    ended = transition.initial is not None and transition.initial.type in TERMINAL
    return ACCEPT if ended else _decide(rule, transition)


def _begins_without_a_past(unit: Unit, *, usual: int, late: int) -> Awaitable[int]:
    """The first turn of a process knows of none before."""
    return absence.make_up(unit, usual=usual or unit.micros, late=late)


def _without_a_bound(statement: str) -> str:
    bounded = "case when expires + ? < ? + lasts then expires + ? else ? + lasts end"
    return statement.replace(bounded, "expires + ? + 0 * (? + ? + ?)")


_of_workspace = crashed._of_workspace


async def _for_one_alone(unit: Unit, claims: Sequence[Any]) -> Any:
    """Who is about to claim a run takes it from whoever holds it."""
    for claim in claims:
        await unit.run("delete from agent_run where flow_run_id = ?", str(claim.id))
    return await _of_workspace(unit, claims)


def _jump(at: float, seconds: float) -> ClockJump:
    return ClockJump(number=int(at), at=at, seconds=seconds)


FOUND = {
    "a worker whose poll is old does not run what has ended": Found(
        FlowRunsAreClaimedOnce, "decide", _claims_the_ended,
        ("operator", "operator", "runner", "runner", "runner", "worker", "worker", "worker"),
        104, "went from",
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
    "a clock put back keeps no slot of who has gone": Found(
        absence, "_LEASES", absence._LEASES.replace("max(expires - lasts)", "0"),
        ("holder",) * 3, 104, "is still there with nobody left", (_jump(880.0, -3000.0),),
    ),
    "a lease that comes after the clock was put forward is put off by nothing": Found(
        absence, "_PUT_OFF", _without_a_bound(absence._PUT_OFF),
        ("holder",) * 6, 102, "is still there with nobody left",
        tuple(_jump(600.0 + at, 900.0) for at in range(0, 300, 20)),
    ),
    "a server that was away takes no slot from who could not renew": Found(
        services, "make_up", _begins_without_a_past,
        ("holder",) * 3, 105, "taken from a holder who could not renew it",
        tuple(Stop(number=90 + at, at=150.0 * at, away=90.0) for at in range(1, 6)),
    ),
    "a clock put forward and back leaves no gap in a schedule": Found(
        scheduler, "_WANTING", scheduler._WANTING.replace("r.created <= ?", "0 <= ?"),
        ("editor",), 100, "has 0 runs for",
        (Tuned(number=90, at=0.0, what="schedules followed a little ahead"),
         _jump(100.0, 1100.0), _jump(250.0, -1100.0)),
    ),
    "a clock put back shows nobody as there who has gone": Found(
        monitor, "_HEARD_IN_FUTURE", (),
        ("editor", "worker"), 100, "is ready with nobody left",
        (_jump(890.0, -3000.0),),
    ),
    "an agent that was away for too long leaves no run Running": Found(
        crashed, "_GIVE_UP", crashed._FORGET.replace("where", "where ? > 0 and"),
        ("agent",), 100, "and its agent is gone",
        (Weather(number=80, at=10.0, until=LIFE, rates={"slow": 0.3}),
         *(Freeze(number=90 + at, at=100.0 * at, who="agent 1", seconds=60.0)
           for at in range(1, 9))),
    ),
    "of two agents in a pool none takes a run from the other": Found(
        crashed, "_of_workspace", _for_one_alone,
        ("agent", "agent"), 100, "and its agent is gone",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FOUND))
def test_what_was_found_is_mended_and_would_be_found_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = FOUND[name]
    assert found.outcome(found.seed).wrong == []
    monkeypatch.setattr(found.owner, found.name, found.as_it_was)
    assert any(found.shows(seed) for seed in range(found.seed, found.seed + _TRIES))
