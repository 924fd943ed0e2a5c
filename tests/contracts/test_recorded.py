"""A recorded text that is stale fails its test, and --rewrite records what is true now."""

from pathlib import Path

import pytest

from tests.recorded import Documents, Snapshots

DOCUMENT = "before\n<!-- generated: list -->\nold\n<!-- /generated -->\nafter\n"


def test_a_snapshot_that_differs_fails_and_names_the_verb(tmp_path: Path) -> None:
    (tmp_path / "help.txt").write_text("old", encoding="utf-8")
    with pytest.raises(AssertionError, match="make snapshots"):
        Snapshots(rewrite=False, folder=tmp_path).check("help.txt", "new")


def test_a_snapshot_that_was_never_recorded_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="never recorded"):
        Snapshots(rewrite=False, folder=tmp_path).check("help.txt", "new")


def test_rewriting_records_what_the_next_comparison_finds(tmp_path: Path) -> None:
    Snapshots(rewrite=True, folder=tmp_path).check("help.txt", "new")
    Snapshots(rewrite=False, folder=tmp_path).check("help.txt", "new")


def test_a_stale_part_of_a_document_fails_and_names_the_verb(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(DOCUMENT, encoding="utf-8")
    with pytest.raises(AssertionError, match="make docs"):
        Documents(rewrite=False).check(document, "list", "new")


def test_rewriting_a_part_leaves_the_rest_of_the_document(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(DOCUMENT, encoding="utf-8")
    Documents(rewrite=True).check(document, "list", r"new \1")
    assert document.read_text(encoding="utf-8") == DOCUMENT.replace("old", r"new \1")


def test_a_part_that_is_empty_yet_is_written(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(DOCUMENT.replace("old\n", "") + DOCUMENT.replace("list", "other"))
    Documents(rewrite=True).check(document, "list", "new")
    Documents(rewrite=False).check(document, "list", "new")


def test_a_document_without_the_part_fails(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(DOCUMENT, encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match="0 parts called `other`"):
        Documents(rewrite=False).check(document, "other", "new")
