"""Texts that the program can write itself: compared in a test, written anew by --rewrite."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Whole files in tests/snapshots; `make snapshots` writes them anew."""

    rewrite: bool
    folder: Path = ROOT / "tests" / "snapshots"

    def check(self, name: str, text: str) -> None:
        place = self.folder / name
        if self.rewrite:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
            return
        if not place.exists():
            pytest.fail(f"{name} was never recorded: run `make snapshots`.", pytrace=False)
        assert place.read_text(encoding="utf-8") == text, (
            f"{name} has changed: if you meant it, run `make snapshots` and review the diff"
        )


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Parts of documents between two marks; `make docs` writes them anew.

    A part begins after `<!-- generated: its name -->` and ends before the next
    `<!-- /generated -->`, each alone on its line.
    """

    rewrite: bool

    def check(self, document: Path, name: str, text: str) -> None:
        mark = re.compile(
            rf"(<!-- generated: {re.escape(name)} -->\n).*?(?=<!-- /generated -->)", re.DOTALL
        )
        before = document.read_text(encoding="utf-8")
        after, found = mark.subn(lambda part: part[1] + text.rstrip("\n") + "\n", before)
        if found != 1:
            pytest.fail(f"{document} has {found} parts called `{name}`, not one.", pytrace=False)
        if self.rewrite:
            document.write_text(after, encoding="utf-8")
            return
        assert before == after, f"{document} is stale in its part `{name}`: run `make docs`"
