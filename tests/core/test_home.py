"""A server takes its home, whatever the disk is like."""

from pathlib import Path

from armillary.home import HomeLock, served_at


def test_the_lock_is_held_also_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "armillary.lock").symlink_to("/dev/full")
    with HomeLock(tmp_path / "armillary.db") as lock:
        assert lock._file is not None


def test_who_comes_second_finds_out_where_the_first_is_reached(tmp_path: Path) -> None:
    database = tmp_path / "armillary.db"
    assert served_at(database) is None
    with HomeLock(database, "http://127.0.0.1:4200"):
        assert served_at(database) == "http://127.0.0.1:4200"
    assert served_at(database) is None
    with HomeLock(database):
        assert served_at(database) is None


def test_where_there_is_no_home_nobody_is_reached(tmp_path: Path) -> None:
    assert served_at(tmp_path / "nowhere" / "armillary.db") is None
    assert not (tmp_path / "nowhere").exists()
