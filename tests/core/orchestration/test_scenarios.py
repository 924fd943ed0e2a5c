"""Every behaviour that tests/scenarios tells comes out as it is told there.

`make snapshots` writes the outcomes anew; the diff is the review.
"""

from pathlib import Path

import pytest

from armillary.orchestration.rules import RULES
from tests.core.orchestration.cases import Case, play, read_cases
from tests.core.orchestration.rows import read_cells, read_rows

FOLDER = Path(__file__).parents[2] / "scenarios"
FILES = sorted(path for path in FOLDER.glob("*.txt") if path.name != "rows.txt")
TEXTS = {path: path.read_text("utf-8") for path in FILES}
CASES = [case for text in TEXTS.values() for case in read_cases(text)]
ROWS = read_rows((FOLDER / "rows.txt").read_text("utf-8"))
CELLS = read_cells((FOLDER / "rows.txt").read_text("utf-8"))
SHOWN_HERE = {row for row, who in ROWS.items() if who in {"rule", "columns", "policy"}}


@pytest.mark.snapshots
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_every_case_comes_out_as_told(
    path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEXTS[path]
    played = [(await play(case, monkeypatch))[0] for case in read_cases(text)]
    told = "\n\n".join([*_head(text), *played]) + "\n"
    if request.config.getoption("--rewrite"):
        path.write_text(told, "utf-8")  # noqa: ASYNC240 - nothing else runs meanwhile
        return
    assert text == told, f"{path.name} has changed: if you meant it, run `make snapshots`"


def _head(text: str) -> list[str]:
    first = text.split("\n\n", 1)[0]
    return [first] if all(line.startswith("#") for line in first.splitlines()) else []


@pytest.mark.parametrize("row", sorted(SHOWN_HERE))
def test_every_behaviour_is_shown_by_a_case(row: str) -> None:
    assert any(row in case.cites for case in CASES)


@pytest.mark.parametrize("cell", sorted(CELLS), ids=" to ".join)
async def test_every_cell_of_the_matrix_is_shown_with_each_of_its_outcomes(
    cell: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    showing = [case for case in CASES if " > ".join(cell) in case.cites]
    for case in showing:
        kind = case.given.get("initial", "none").split()[0]
        assert kind in cell[0].partition(":")[0].split("/")
        assert case.given["proposed"].split()[0] == cell[1]
    outcomes = {await _code(case, monkeypatch) for case in showing}
    assert outcomes == CELLS[cell]


async def _code(case: Case, monkeypatch: pytest.MonkeyPatch) -> str:
    _, outcome = await play(case, monkeypatch)
    code = {"ACCEPT": "A", "REJECT": "R", "WAIT": "W", "ABORT": "AB"}[outcome.status]
    replaced = code == "R" and outcome.state is not None
    return f"R>{outcome.state.type}" if replaced and outcome.state else code


def test_the_matrix_is_whole() -> None:
    assert len(CELLS) == 90


def test_cases_cite_only_behaviours_that_are_listed() -> None:
    known = set(ROWS) | {" > ".join(cell) for cell in CELLS}
    assert {row for case in CASES for row in case.cites} <= known


def test_every_case_cites_what_it_shows_and_has_a_title_of_its_own() -> None:
    assert [case.title for case in CASES if not case.cites] == []
    titles = [case.title for case in CASES]
    assert sorted(set(titles)) == sorted(titles)


def test_rules_name_behaviours_that_are_listed_and_none_is_left_without_a_rule() -> None:
    named = {row for rule in RULES for row in rule.rows}
    assert named == {row for row, who in ROWS.items() if who == "rule"}
