"""Every plugin has the same anatomy: what a file is called says what it holds."""

import ast
import importlib.util
import re
from pathlib import Path

import msgspec
import pytest

from armillary import hookspecs
from armillary.discovery import Found, discover
from armillary.plugins import Plugins, enabled_among

ROOT = Path(__file__).parents[2]
FOUND = discover()
FIXED = {"__init__", "plugin", "config", "schemas", "repository", "hookspecs"}
NEVER_IN_PURE_FILES = {"aiosqlite", "asyncio", "asyncpg", "litestar", "piccolo", "saq", "uvicorn"}
IMPORTED_BY_PLUGIN = {"__future__", "typing", "armillary"}
HOOK = "register_"


def everything() -> Plugins:
    return Plugins(FOUND, enabled=enabled_among(FOUND, enable=FOUND, disable=()), targets=["all"])


def folder(plugin: Found) -> Path:
    spec = importlib.util.find_spec(plugin.package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def hooks_known() -> set[str]:
    """The hooks of the core, and those plugins host."""
    known = {name.removeprefix(HOOK) for name in vars(hookspecs) if name.startswith(HOOK)}
    for plugin in FOUND.values():
        path = folder(plugin) / "hookspecs.py"
        if path.exists():
            known |= set(re.findall(rf"^def {HOOK}(\w+)", path.read_text(), re.MULTILINE))
    return known


def files(plugin: Found) -> set[str]:
    return {
        path.stem
        for path in folder(plugin).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }


each_plugin = pytest.mark.parametrize("plugin", FOUND.values(), ids=lambda plugin: plugin.name)


@each_plugin
def test_the_first_line_is_the_summary_and_a_sentence(plugin: Found) -> None:
    docstring = ast.get_docstring(tree(folder(plugin) / "__init__.py")) or ""
    summary = plugin.manifest.summary
    assert docstring.split("\n")[0] == summary
    assert re.fullmatch(r"[A-Z].*\.", summary)


@each_plugin
def test_the_manifest_costs_nothing(plugin: Found) -> None:
    allowed = {"armillary", f"{plugin.package}.config"}
    for node in tree(folder(plugin) / "__init__.py").body:
        assert not isinstance(node, ast.Import)
        if isinstance(node, ast.ImportFrom):
            assert node.module in allowed


@each_plugin
def test_plugin_py_holds_hooks_and_imports_the_rest_inside(plugin: Found) -> None:
    for node in tree(folder(plugin) / "plugin.py").body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            assert module in IMPORTED_BY_PLUGIN
        elif isinstance(node, ast.FunctionDef):
            assert node.name.startswith(HOOK)
        else:
            assert isinstance(node, ast.If | ast.Expr), "only hooks stand here"


@each_plugin
def test_a_file_is_there_exactly_if_its_hook_is_implemented(plugin: Found) -> None:
    implemented = {name.removeprefix(HOOK) for name in everything().hooks(plugin.name)}
    assert files(plugin) & hooks_known() == implemented


@each_plugin
def test_settings_are_one_strict_struct_with_a_sentence_for_each_field(plugin: Found) -> None:
    config = plugin.manifest.config
    assert ("config" in files(plugin)) is (config is not None)
    if config is None:
        return
    assert config.__struct_config__.frozen
    assert config.__struct_config__.forbid_unknown_fields
    body = next(
        node
        for node in tree(folder(plugin) / "config.py").body
        if isinstance(node, ast.ClassDef) and node.name == config.__name__
    ).body
    for place, node in enumerate(body):
        if isinstance(node, ast.AnnAssign):
            after = body[place + 1] if place + 1 < len(body) else None
            assert isinstance(after, ast.Expr), f"{ast.unparse(node.target)} has no sentence"
    assert msgspec.convert({}, config) == config(), "every field has a default"


@each_plugin
def test_a_file_of_any_other_name_is_pure(plugin: Found) -> None:
    for path in sorted(folder(plugin).glob("*.py")):
        if path.stem in FIXED | hooks_known():
            continue
        imported = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert {name.split(".")[0] for name in imported} & NEVER_IN_PURE_FILES == set(), path.name


@each_plugin
def test_tables_have_their_migrations_and_migrations_their_owner(plugin: Found) -> None:
    own = ROOT / "migrations" / "armillary_migrations" / plugin.name
    assert ("tables" in files(plugin)) is own.exists()
