"""Run seeds: `python -m tests.simulation --help`; ends with 1 if one of them fails."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

from tests.simulation.outcome import Outcome
from tests.simulation.plan import Plan, draw
from tests.simulation.planted import DEFECTS
from tests.simulation.report import command, told
from tests.simulation.shrink import kinds_of, shrink
from tests.simulation.world import carry_out

_EACH = 20
"""Up to so many seeds have a line each."""
_TELL_EVERY = 5.0
_YOUNG = 100_000
"""Objects made between two collections: a seed ends soon, and so a fifth of its time is saved."""
_SHRUNK = 3
"""So many failing seeds are made short, each of another kind."""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run seeds and say what came of them."""
    asked = _asked()
    plans = [_plan(seed, asked) for seed in range(asked.seed, asked.seed + asked.seeds)]
    began = time.monotonic()
    failed: list[Outcome] = []
    tell_next = began + _TELL_EVERY
    for done, outcome in enumerate(_outcomes(plans, asked), 1):
        if outcome.wrong:
            failed.append(outcome)
        if outcome.wrong or len(plans) <= _EACH:
            say(_line(outcome))
        if len(plans) > _EACH and time.monotonic() >= tell_next:
            tell_next = time.monotonic() + _TELL_EVERY
            say(f"{done} of {len(plans)} seeds, {len(failed)} failed, {_since(began)}")
    took = _since(began)
    failed.sort(key=lambda outcome: outcome.plan.seed)
    with planted(asked.plant):
        for outcome in _one_of_each_kind(failed):
            shortest, tried = _shortest(outcome, asked)
            say(f"\n{told(shortest, tried, planted=asked.plant)}")
    say(f"{len(plans)} seeds in {took}, {len(failed)} failed{_listed(failed, asked.plant)}")
    return 1 if failed else 0


def planted(name: str) -> AbstractContextManager[None]:
    """The defect of that name, or none."""
    return DEFECTS[name].plant() if name else nullcontext()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--jobs", type=int, default=2, help="processes that share them")
    parser.add_argument("--keep", default="", help="the steps of the plan to keep: 1,4,7, or none")
    parser.add_argument("--life", type=float, help="seconds after which the plan ends")
    parser.add_argument("--plant", default="", choices=["", *DEFECTS], help="a defect to put in")
    parser.add_argument("--whole", action="store_true", help="show failures without shortening")
    return parser.parse_args()


def _plan(seed: int, asked: argparse.Namespace) -> Plan:
    plan = draw(seed)
    if asked.life is not None:
        plan = plan.cut(asked.life)
    if asked.keep:
        numbers = [] if asked.keep == "none" else [int(one) for one in asked.keep.split(",")]
        plan = plan.keeping(numbers)
    return plan


def _outcomes(plans: list[Plan], asked: argparse.Namespace) -> Iterator[Outcome]:
    with planted(asked.plant):
        if asked.jobs == 1 or len(plans) == 1:
            yield from map(carry_out, plans)
            return
        _warm_up(plans[0])
        context = multiprocessing.get_context("fork")
        with context.Pool(asked.jobs, maxtasksperchild=200) as pool:
            yield from pool.imap_unordered(_without_history, plans)


def _warm_up(plan: Plan) -> None:
    """Load what every seed needs before processes share it, out of the garbage collector's way."""
    carry_out(plan.keeping([]).cut(0.0))
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)


def _without_history(plan: Plan) -> Outcome:
    """What a seed came to, small enough to be sent; who wants the history runs it again."""
    return carry_out(plan).silent()


def _shortest(outcome: Outcome, asked: argparse.Namespace) -> tuple[Outcome, int]:
    if asked.whole or asked.keep:
        return carry_out(outcome.plan), 0
    return shrink(carry_out(outcome.plan), carry_out, time.monotonic)


def _one_of_each_kind(failed: Iterable[Outcome]) -> list[Outcome]:
    chosen: list[Outcome] = []
    known: set[str] = set()
    for outcome in failed:
        if known.isdisjoint(kinds := kinds_of(outcome.wrong)):
            chosen.append(outcome)
        known |= kinds
    return chosen[:_SHRUNK]


def _line(outcome: Outcome) -> str:
    if outcome.wrong:
        return f"seed {outcome.plan.seed}: wrong, {outcome.wrong[0]}"
    return f"seed {outcome.plan.seed}: fine, {outcome.kills} kills, {outcome.runs} runs"


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


def _listed(failed: list[Outcome], plant: str) -> str:
    return "".join(f"\n  {command(outcome.plan, planted=plant)}" for outcome in failed)


if __name__ == "__main__":
    sys.exit(main())
