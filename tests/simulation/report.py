"""What a person is told of a seed that fails: the plan, what is wrong, and how to replay it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tests.simulation.outcome import Outcome, Said
from tests.simulation.plan import LIFE, Plan, draw

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WRONG = 10
_SAID = 20
_WIDTH = 240


def told(shortest: Outcome, tried: int, *, planted: str = "") -> str:
    """The shortest history that was found of a seed that fails."""
    plan, drawn = shortest.plan, draw(shortest.plan.seed)
    left = f"{len(plan.steps)} of {len(drawn.steps)} steps, {plan.life:.0f} of {drawn.life:.0f} s"
    return "\n".join(
        [
            f"seed {plan.seed}, the shortest history found in {tried} tries: {left}",
            str(plan),
            "wrong:",
            *(f"     {_shortened(each)}" for each in shortest.wrong[:_WRONG]),
            *_and_more(shortest.wrong, _WRONG),
            "what was said of it:",
            *(f"     {_shortened(str(each))}" for each in said_of(shortest)[-_SAID:]),
            f"replay: {command(plan, planted=planted)}",
        ]
    )


def command(plan: Plan, *, planted: str = "") -> str:
    """The command that carries this very plan out."""
    drawn = draw(plan.seed)
    words = ["make simulate", f"SEED={plan.seed}"]
    if plan.numbers != drawn.cut(plan.life).numbers:
        words.append(f"KEEP={','.join(map(str, plan.numbers)) or 'none'}")
    if plan.life != LIFE:
        words.append(f"LIFE={plan.life!r}")
    if planted:
        words.append(f"PLANT={planted}")
    return " ".join(words)


def said_of(outcome: Outcome) -> list[Said]:
    """What was said of the first thing that is wrong."""
    ids = set(_ID.findall(outcome.wrong[0])) if outcome.wrong else set()
    return [said for said in outcome.said if _mentions(f"{said.asked} {said.answered}", ids)]


def _mentions(text: str, ids: Iterable[str]) -> bool:
    return any(each in text for each in ids)


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"


def _and_more(wrong: Sequence[str], shown: int) -> list[str]:
    return [f"     and {len(wrong) - shown} more"] if len(wrong) > shown else []
