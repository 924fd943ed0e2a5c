"""Names say what a thing is, and every module says what it is for."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EMPTY_WORDS = re.compile(r"(^|_)(utils?|helpers?|misc|base|manager|common|stuff)($|_)")
EMPTY_CLASSES = re.compile(r"(Util|Helper|Manager|Base|Common|Provider|Impl)s?$")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
BANNER = re.compile(r"^\s*#\s*[-=*#]{4,}", re.MULTILINE)
MODULES = [
    path
    for folder in ("core", "plugins", "web", "migrations", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != Path(__file__)
]
OURS = [path for path in MODULES if not path.is_relative_to(ROOT / "tests")]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_a_file_and_its_classes_are_called_what_they_are(path: Path) -> None:
    assert not EMPTY_WORDS.search(path.stem)
    classes = [
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in classes if EMPTY_CLASSES.search(name)] == []


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_nothing_is_left_unfinished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not UNFINISHED.search(text)
    assert not BANNER.search(text)


@pytest.mark.parametrize("path", OURS, ids=shown)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, "the first line says what the module is for"
    assert re.fullmatch(r"\S.*[.:]", docstring.split("\n")[0]), "as a sentence"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name.startswith("test_")], ids=shown
)
def test_a_test_is_called_by_its_claim(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            assert node.name.count("_") >= 3, f"{node.name} claims nothing"
