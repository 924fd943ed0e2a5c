"""Time, ids and chance come from what is injected: nobody asks the machine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "asyncio": {"sleep"},
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "os": {"urandom"},
    "random": None,
    "secrets": None,
    "time": None,
    "uuid": {"uuid1", "uuid4"},
}
# Who makes what is injected, and the clock that tests move.
ALLOWED = {
    "core/armillary/clock.py": {"datetime.now", "time.time_ns", "time.monotonic", "asyncio.sleep"},
    "core/armillary/core.py": {"random.Random"},
    "core/armillary/ids.py": {"random.SystemRandom"},
    "core/armillary/testing.py": {"asyncio.sleep", "random.Random"},
}


def modules() -> list[Path]:
    return [
        path
        for folder in ("core", "plugins", "web", "migrations")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def asked(tree: ast.Module) -> Iterator[str]:
    """Each call of a forbidden function, as `module.function`."""
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in FORBIDDEN
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in imported:
            name = imported[called.id]
        elif isinstance(called, ast.Attribute):
            name = f"{ast.unparse(called.value).rpartition('.')[2]}.{called.attr}"
        else:
            continue
        module, _, function = name.partition(".")
        functions = FORBIDDEN.get(module, set())
        if functions is None or function in functions:
            yield name


def test_time_ids_and_chance_are_injected() -> None:
    wrong = {}
    for path in modules():
        name = str(path.relative_to(ROOT))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        wrong[name] = set(asked(tree)) - ALLOWED.get(name, set())
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import monotonic\nmonotonic()",
        "import asyncio\nasyncio.sleep(1)",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "import random\nrandom.random()",
        "from uuid import uuid4 as make\nmake()",
        "import secrets\nsecrets.token_hex()",
    ],
)
def test_the_search_finds_them(source: str) -> None:
    assert list(asked(ast.parse(source)))
