"""A disk that is full, read-only or broken for a while: writes are refused, reads are answered."""

import sys
from pathlib import Path

import pytest

from tests.soak.full import Plan, failing, filled, may_mount, small_disk


@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform != "linux", reason="preloading is Linux's")
async def test_writes_are_refused_while_the_disk_takes_none(tmp_path: Path) -> None:
    outcome = await failing(tmp_path, lambda _: None, Plan())
    assert outcome.wrong == []
    assert len(outcome.recoveries) == 3


@pytest.mark.timeout(240)
@pytest.mark.skipif(not may_mount(), reason="only root may make a file system to fill")
async def test_a_disk_that_was_full_to_its_last_byte_has_lost_nothing(tmp_path: Path) -> None:
    with small_disk() as disk:
        outcome = await filled(disk, tmp_path, lambda _: None, Plan())
    assert outcome.wrong == []
    assert len(outcome.recoveries) == 1
