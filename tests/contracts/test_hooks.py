"""Every hook says when it is called, is in the plugin guide, and is tried by a test."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from armillary import hookspecs
from armillary.plugins import TARGETED

ROOT = Path(__file__).parents[2]
HOOKS = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("register_")}


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_says_for_whom_it_is_called(name: str) -> None:
    docstring = inspect.getdoc(HOOKS[name]) or ""
    called_for = "Targeted" if name in TARGETED else "Enabled"
    assert f".  {called_for} plugins" in docstring


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_tried_by_a_test(name: str) -> None:
    here = Path(__file__)
    texts = (path.read_text() for path in (ROOT / "tests").rglob("*.py") if path != here)
    assert any(name in text for text in texts)


@pytest.mark.docs
def test_the_guide_lists_every_hook(generated_part: Callable[[Path, str, str], None]) -> None:
    rows = ["| hook | returns | called for |", "|---|---|---|"]
    for name, spec in HOOKS.items():
        returns, _, called_for = (inspect.getdoc(spec) or "").replace("\n", " ").partition(".  ")
        arguments = ", ".join(inspect.signature(spec).parameters)
        rows.append(f"| `{name}({arguments})` | {returns} | {called_for} |")
    generated_part(ROOT / "plugins/README.md", "hooks", "\n".join(rows))
