"""Copies the template to a new plugin: `make plugin NAME=hello`, here or, with AT, elsewhere."""  # noqa: INP001 - no package

import argparse
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def render(name: str, root: Path) -> list[Path]:
    """Write the plugin, its migration and its tests into a tree; return the new files."""
    places = {
        HERE / "plugin": root / "plugins" / "armillary_plugins" / name,
        HERE / "migration": root / "migrations" / "armillary_migrations" / name,
        HERE / "tests": root / "tests" / "plugins" / name,
    }
    return _copied(name, places, {})


def render_alone(name: str, root: Path) -> list[Path]:
    """Write the same as a distribution of its own; return the new files."""
    package = f"armillary_{name}"
    places = {
        HERE / "distribution": root,
        HERE / "plugin": root / package,
        HERE / "migration": root / package / "migrations",
        HERE / "tests": root / "tests",
    }
    changes = {
        f"armillary_plugins.{name}": package,
        f'Tables(owner="{name}"': f'Tables(owner="{name}", steps="{package}.migrations"',
        "Manifest(summary": f"Manifest(api={_plugin_api()}, summary",
    }
    return _copied(name, places, changes)


def _copied(name: str, places: dict[Path, Path], changes: dict[str, str]) -> list[Path]:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise SystemExit(f"{name!r} is no name for a plugin: take lower-case letters, as in hello.")
    for folder in places.values():
        if folder.exists() and any(folder.iterdir()):
            raise SystemExit(f"{folder} is there already: choose another name or place.")
    written: list[Path] = []
    for part, folder in places.items():
        for source in sorted(part.rglob("*.*")):
            if source.suffix not in {".py", ".html", ".toml", ".md"}:
                continue
            text = source.read_text(encoding="utf-8")
            text = re.sub(r"(?<![a-z])example(?![a-z])", name, text)
            for before, after in changes.items():
                text = text.replace(before, after)
            target = folder / source.relative_to(part)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            written.append(target)
    return written


def _plugin_api() -> str:
    text = (ROOT / "core" / "armillary" / "manifest.py").read_text(encoding="utf-8")
    found = re.search(r"^PLUGIN_API = (\d+)$", text, re.MULTILINE)
    assert found is not None, "manifest.py says which plugin API this is"  # noqa: S101 - or stop
    return found[1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--at", type=Path, help="a new folder for a distribution of its own")
    given = parser.parse_args()
    made = render_alone(given.name, given.at) if given.at else render(given.name, ROOT)
    for path in made:
        sys.stdout.write(f"{path.relative_to(given.at or ROOT)}\n")
