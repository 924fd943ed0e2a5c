"""A server takes its home, whatever the disk is like."""

from pathlib import Path

from armillary.home import HomeLock


def test_the_lock_is_held_also_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "armillary.lock").symlink_to("/dev/full")
    with HomeLock(tmp_path / "armillary.db") as lock:
        assert lock._file is not None
