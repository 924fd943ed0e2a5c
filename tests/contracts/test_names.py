"""Names say what a thing is, and every module says what it is for."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

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


class Read(NamedTuple):
    """What there is to say about a module."""

    name: str
    text: str
    docstring: str
    classes: list[str]
    tests: list[str]


@cache
def read() -> dict[Path, Read]:
    """Each module, looked at once for every claim."""
    return {path: looked_at(path) for path in MODULES}


def looked_at(path: Path) -> Read:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    classes, tests = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            classes.append(node.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            node.name.startswith("test_") and path.name.startswith("test_")
        ):
            tests.append(node.name)
    name = str(path.relative_to(ROOT))
    return Read(name, text, ast.get_docstring(tree) or "", classes, tests)


def test_a_file_and_its_classes_are_called_what_they_are() -> None:
    assert [each.name for path, each in read().items() if EMPTY_WORDS.search(path.stem)] == []
    classes = [(each.name, name) for each in read().values() for name in each.classes]
    assert [(place, name) for place, name in classes if EMPTY_CLASSES.search(name)] == []


def test_nothing_is_left_unfinished() -> None:
    assert [each.name for each in read().values() if UNFINISHED.search(each.text)] == []
    assert [each.name for each in read().values() if BANNER.search(each.text)] == []


def test_a_module_says_what_it_is_for_in_a_sentence() -> None:
    said = {read()[path].name: read()[path].docstring.split("\n")[0] for path in OURS}
    assert [name for name, line in said.items() if not re.fullmatch(r"\S.*[.:]", line)] == []


def test_a_test_is_called_by_its_claim() -> None:
    tests = [(each.name, name) for each in read().values() for name in each.tests]
    assert [(place, name) for place, name in tests if name.count("_") < 3] == []
