"""Who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from armillary.discovery import discover

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins" / "armillary_plugins"
DISCOVERY = "core/armillary/discovery.py"


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def importing(folder: str, *forbidden: str) -> dict[str, set[str]]:
    """The modules of a folder that import what they must not, and what that is."""
    found = {shown(path): roots(path) & set(forbidden) for path in modules(folder)}
    assert found, f"{folder} holds no module"
    return {name: wrong for name, wrong in found.items() if wrong}


def test_the_core_imports_no_plugin_and_no_page() -> None:
    found = importing("core", "armillary_plugins", "armillary_web")
    assert found == {DISCOVERY: {"armillary_plugins"}}


def test_migrations_import_nobody() -> None:
    assert importing("migrations", "armillary", "armillary_plugins", "armillary_web") == {}


def test_the_design_system_knows_no_plugin() -> None:
    assert importing("web/armillary_web", "armillary_plugins") == {}


@pytest.mark.parametrize("name", sorted(discover()))
def test_a_plugin_imports_another_only_if_it_requires_it(name: str) -> None:
    others = {
        found.split(".")[1]
        for path in (PLUGINS / name).rglob("*.py")
        for found in imported(path)
        if found.startswith("armillary_plugins.")
    }
    assert others - {name} <= set(discover()[name].manifest.requires)


def databases(path: Path) -> set[str]:
    """Which databases a file mentions by the members of `Dialect`."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Dialect"
        and node.attr.isupper()
    }


def test_nobody_outside_the_database_layer_asks_which_one_it_is() -> None:
    asking = {
        shown(path): databases(path)
        for path in (*modules("core"), *modules("plugins"))
        if not path.is_relative_to(ROOT / "core/armillary/db")
    }
    assert {name: found for name, found in asking.items() if found} == {}
