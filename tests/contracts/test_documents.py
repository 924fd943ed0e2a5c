"""The generated parts of documents are what the program says today."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.docs
def test_the_verbs_of_the_makefile_are_listed(
    generated_part: Callable[[Path, str, str], None],
) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = re.findall(r"^([a-z]+):.*?## (.+)$", makefile, re.MULTILINE)
    rows = "\n".join(f"| `make {verb}` | {meaning} |" for verb, meaning in verbs)
    generated_part(ROOT / "tests/README.md", "verbs", f"| verb | does |\n|---|---|\n{rows}")


def test_every_verb_is_documented_and_phony() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^([a-z]+):(?!=)", makefile, re.MULTILINE))
    documented = set(re.findall(r"^([a-z]+):.*?## .+$", makefile, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert verbs == documented == set(phony.split())
