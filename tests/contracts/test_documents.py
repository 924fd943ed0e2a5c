"""Documents are true: generated parts are fresh, and what they name is there."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from armillary.commands import COMMANDS
from armillary.discovery import discover
from armillary.plugins import Plugins, enabled_among

ROOT = Path(__file__).parents[2]
OUTSIDE = {
    ".venv", ".venv-prefect", ".venv-demo", ".venv-binary", ".hypothesis", ".pytest_cache", "build",
    "dist", "node_modules",
}  # fmt: skip
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*.md")
    if OUTSIDE.isdisjoint(path.relative_to(ROOT).parts)
)
TOP = "core|plugins|web|migrations|packaging|tests"
MADE_UP = {"plugins/armillary_plugins/hello", "my_flow.py", "rules.py"}
"""What a document tells the reader to make, or that a plugin may have."""


EVERYTHING = {
    f"/{'/'.join(parts[start:])}{'/' if path.is_dir() else ''}"
    for top in TOP.split("|")
    for path in (ROOT / top, *(ROOT / top).rglob("*"))
    for parts in [path.relative_to(ROOT).parts]
    for start in range(len(parts))
}
"""The end of the path of everything there is."""


def known_commands() -> set[str]:
    """The words of the command line: the core's and those of plugins."""
    found = discover()
    plugins = Plugins(found, enabled=enabled_among(found, enable=found, disable=()), targets=())
    theirs = [command for _, command in plugins.collect("register_commands")]
    return {command.name for command in (*COMMANDS, *theirs)}


def prose(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(name))
    inside = [link.partition("#")[0] for link in links if "://" not in link]
    folder = (ROOT / name).parent
    assert [link for link in inside if not (folder / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_is_named_is_there(name: str) -> None:
    spans = re.findall(r"`([^`\n]+)`", prose(name))
    paths = {span for span in spans if re.fullmatch(rf"(?:{TOP})/[\w./-]*", span)}
    assert {path for path in paths - MADE_UP if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_and_folder_that_is_named_is_somewhere(name: str) -> None:
    spans = re.findall(r"`([^`\n]+)`", prose(name))
    named = {span for span in spans if re.fullmatch(r"\w[\w/]*(?:/|\.py)", span)}
    assert {each for each in named - MADE_UP if f"/{each}" not in EVERYTHING} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_verb_and_every_command_that_is_named_is_known(name: str) -> None:
    code = re.findall(r"^```\w*\n(.*?)^```", prose(name), re.MULTILINE | re.DOTALL)
    lines = [line for block in code for line in block.splitlines()]
    spans = [*re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", prose(name), flags=re.DOTALL))]
    said = [" ".join(each.split()) for each in (*lines, *spans)]
    verbs = {found[1] for each in said if (found := re.match(r"(?:\w+=\S+ )*make ([a-z]+)", each))}
    assert verbs - set(re.findall(r"^([a-z]+):", prose("Makefile"), re.MULTILINE)) == set()
    words = {found[1] for each in said if (found := re.match(r"(?:\S*/)?armillary ([a-z]+)", each))}
    assert words - known_commands() == set()


def test_decisions_are_numbered_without_a_gap_and_headed_by_their_number() -> None:
    files = sorted((ROOT / "core/decisions").glob("*.md"))
    assert [path.name[:5] for path in files] == [f"{n:04}-" for n in range(1, len(files) + 1)]
    for number, path in enumerate(files, 1):
        assert path.read_text(encoding="utf-8").startswith(f"# {number}. ")


@pytest.mark.docs
def test_the_verbs_of_the_makefile_are_listed(
    generated_part: Callable[[Path, str, str], None],
) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = re.findall(r"^([a-z]+):.*?## (.+)$", makefile, re.MULTILINE)
    rows = "\n".join(f"| `make {verb}` | {meaning} |" for verb, meaning in verbs)
    generated_part(ROOT / "tests/README.md", "verbs", f"| verb | does |\n|---|---|\n{rows}")


@pytest.mark.docs
def test_the_guide_lists_every_plugin_that_ships(
    generated_part: Callable[[Path, str, str], None],
) -> None:
    found = {
        name: each
        for name, each in discover().items()
        if each.package == f"armillary_plugins.{name}"
    }
    plugins = Plugins(found, enabled=enabled_among(found, enable=found, disable=()), targets=())
    rows = ["| plugin | does | runs as | requires | also called |", "|---|---|---|---|---|"]
    for name, each in found.items():
        manifest = each.manifest
        kinds = ", ".join(plugins.kinds(name)) or "-"
        requires, aliases = ", ".join(manifest.requires), ", ".join(manifest.aliases)
        rows.append(f"| `{name}` | {manifest.summary} | {kinds} | {requires} | {aliases} |")
    generated_part(ROOT / "plugins/README.md", "plugins", "\n".join(rows))


def test_every_plugin_that_ships_is_enabled_by_default() -> None:
    assert [name for name, found in discover().items() if not found.manifest.default] == []


def test_every_verb_is_documented_and_phony() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^([a-z]+):(?!=)", makefile, re.MULTILINE))
    documented = set(re.findall(r"^([a-z]+):.*?## .+$", makefile, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert verbs == documented == set(phony.split())
