"""Notes of turns, and what is wrong with them."""

from pathlib import Path

import pytest

from tests.soak.turns import Stretch, overlapping, turns

ALONE = "10 1 begin a 40\n11 1 end a 0\n12 2 begin a 40\n13 2 end a 0\n"
TOGETHER = "10 1 begin a 40\n11 2 begin a 40\n12 1 end a 0\n13 2 end a 0\n"
KEPT = "10 1 begin a 14\n13 1 begin a 17\n15 2 begin a 40\n16 1 end a 0\n17 2 end a 0\n"
OUTLASTED = "10 1 begin a 14\n15 2 begin a 40\n16 1 end a 0\n17 2 end a 0\n"
FOR_LONG = "10 1 begin a 14\n40 1 end a 0\n"
ELSEWHERE = "10 1 begin a 40\n11 2 begin b 40\n12 1 end a 0\n13 2 end b 0\n"


@pytest.mark.parametrize(
    ("notes", "wrong"),
    [(ALONE, 0), (TOGETHER, 1), (KEPT, 1), (OUTLASTED, 0), (FOR_LONG, 1), (ELSEWHERE, 0)],
)
def test_turns_of_one_service_at_once_are_seen(notes: str, wrong: int, tmp_path: Path) -> None:
    file = tmp_path / "turns"
    file.write_text(notes)
    assert len(overlapping(turns(file), [])) == wrong


def test_who_was_frozen_in_a_turn_is_not_to_blame(tmp_path: Path) -> None:
    file = tmp_path / "turns"
    file.write_text(FOR_LONG)
    assert overlapping(turns(file), [(1, Stretch(12, 39))]) == []
