"""The top-level folders are source roots: four import names, nothing else, and honest locks."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "migrations", "packaging", "plugins", "tests", "web")
FILES = {"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml"}
IMPORT_NAMES = {"armillary", "armillary_migrations", "armillary_plugins", "armillary_web"}
# `tests` stays importable, since test files share fakes; PyPI has a real `packaging`.
NEVER_IMPORTED = {"core", "migrations", "plugins", "web"}
LOCKS = sorted((ROOT / "packaging" / "locks").glob("*.txt"))

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (ROOT / folder).rglob("*.py")


def imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_top_level_folder_is_a_package(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists(), (
        f"{folder}/__init__.py makes the folder a package"
        " (and packaging/__init__.py hides PyPI's packaging): remove it"
    )


def test_nobody_imports_a_source_root_by_its_folder() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        for name in imported_names(ast.parse(path.read_text(encoding="utf-8"), str(path)))
        if name.split(".")[0] in NEVER_IMPORTED
    ]
    assert offenders == []


@pytest.mark.parametrize("name", ["conftest.py", "recorded.py", "servers.py"])
def test_what_every_test_stands_on_does_not_need_ours(name: str) -> None:
    tree = ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))
    roots = {imported.split(".")[0] for imported in imported_names(tree)}
    assert not roots & IMPORT_NAMES


def test_the_root_holds_the_fixed_names_and_nothing_else() -> None:
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    made_by_builds = {"build", "dist"}
    assert visible - made_by_builds <= FILES | set(FOLDERS)


def test_the_wheel_carries_exactly_four_import_names(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == IMPORT_NAMES


def test_a_source_root_holds_one_package_and_documents() -> None:
    for package in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        root = (ROOT / package).parent
        packages = {path.parent.name for path in root.glob("*/__init__.py")}
        assert packages == {Path(package).name}


def test_every_group_has_its_lock() -> None:
    assert {lock.stem for lock in LOCKS} == {"binary", "dev", "reference", "runtime"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_pins_every_requirement_with_hashes(lock: Path) -> None:
    joined = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    requirements = [
        line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert requirements
    unpinned = [
        line.split()[0]
        for line in requirements
        if not re.fullmatch(
            r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==\S+ +(; .+?)?( +--hash=sha256:[0-9a-f]{64})+ *", line
        )
    ]
    assert unpinned == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_index_and_no_machine(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    told = re.findall(r"https?://\S+|file:\S+|--\w*index\S*|--find-links\S*|(?<!\S)/\w\S*", text)
    assert told == []


@pytest.mark.parametrize("name", ["binary", "dev"])
def test_what_is_tested_and_built_agrees_with_what_users_run(name: str) -> None:
    runtime, other = (
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
        for lock in (ROOT / "packaging/locks/runtime.txt", ROOT / f"packaging/locks/{name}.txt")
    )
    assert runtime.items() <= other.items()
