"""Commands of two agents under a few troubles: `make soak` has them for minutes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.commanded import Ran, wrong_with
from tests.soak.commands import Plan, commands
from tests.soak.work import WORKS, lines_of

A_FEW = Plan(
    troubles=("both", "frozen"),
    apart=(1, 1.5),
    frozen=(4.2, 4.5),
    away=(0, 0.2),
    silence=3,
    pause=(0.1, 0.4),
    seed=1,
)
DONE = Ran("a", "quick", "far", "COMPLETED", "Completed", 1, None, 0.0)
BEGUN = Counter({("a", 1): 1})
SAID = Counter(("a", line) for line in lines_of("a", 1, WORKS["quick"]))


@pytest.mark.timeout(400)
async def test_commands_of_killed_and_frozen_agents_are_run_once_and_end(
    copied_sqlite: str, tmp_path: Path
) -> None:
    outcome = await commands(copied_sqlite, tmp_path, A_FEW, lambda _: None)
    assert outcome.wrong == []
    assert any(run.type == "COMPLETED" for run in outcome.evidence.ran)


def test_nothing_is_wrong_with_what_was_run_once_and_said_all() -> None:
    assert wrong_with([DONE], BEGUN, SAID) == []


@pytest.mark.parametrize(
    ("run", "noted", "said", "sentence"),
    [
        (DONE, BEGUN + BEGUN, SAID, "attempt 1 at run a was begun 2 times"),
        (DONE, BEGUN + Counter({("a", 2): 1}), SAID, "attempt 2 at run a was begun, 1 are known"),
        (DONE, Counter(), SAID, "run a was completed and never begun"),
        (DONE, BEGUN, SAID - Counter({("a", "a 1 7"): 1}), "1 lines are missing of attempt 1"),
        (DONE, BEGUN, SAID + Counter({("a", "a 1 7"): 1}), "2 times in run a: a 1 7"),
        (replace(DONE, type="FAILED"), BEGUN, SAID, "run a (quick in far) is Completed"),
        (replace(DONE, type="CRASHED"), BEGUN, SAID, "run a is Crashed, and nobody says why"),
    ],
)
def test_what_was_run_twice_lost_or_not_explained_is_seen(
    run: Ran, noted: Counter[tuple[str, int]], said: Counter[tuple[str, str]], sentence: str
) -> None:
    (found,) = wrong_with([run], noted, said)
    assert found.startswith(sentence)
