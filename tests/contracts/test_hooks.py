"""Every hook says when it is called, is in the plugin guide, and is tried by a test."""

import importlib
import importlib.util
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from armillary import hookspecs
from armillary.discovery import discover
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


def row_of(name: str, spec: object) -> str:
    """What the guide says of a hook: how it is declared, what it returns, for whom it is called."""
    returns, _, called_for = (inspect.getdoc(spec) or "").replace("\n", " ").partition(".  ")
    arguments = ", ".join(inspect.signature(spec).parameters)  # type: ignore[arg-type]
    return f"`{name}({arguments})` | {returns} | {called_for} |"


@pytest.mark.docs
def test_the_guide_lists_every_hook(generated_part: Callable[[Path, str, str], None]) -> None:
    rows = ["| hook | returns | called for |", "|---|---|---|"]
    rows += [f"| {row_of(name, spec)}" for name, spec in HOOKS.items()]
    generated_part(ROOT / "plugins/README.md", "hooks", "\n".join(rows))


@pytest.mark.docs
def test_the_guide_lists_every_hook_that_a_plugin_calls(
    generated_part: Callable[[Path, str, str], None],
) -> None:
    rows = ["| called by | hook | returns | called for |", "|---|---|---|---|"]
    for plugin in discover().values():
        if importlib.util.find_spec(f"{plugin.package}.hookspecs") is None:
            continue
        specs = vars(importlib.import_module(f"{plugin.package}.hookspecs"))
        rows += [
            f"| `{plugin.name}` | {row_of(name, spec)}"
            for name, spec in specs.items()
            if name.startswith("register_")
        ]
    generated_part(ROOT / "plugins/README.md", "hosted hooks", "\n".join(rows))
