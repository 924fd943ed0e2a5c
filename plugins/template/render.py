"""Copies the template to a new plugin: `make plugin NAME=hello`."""  # noqa: INP001 - no package

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
PLACES = {
    "plugin": "plugins/armillary_plugins",
    "migration": "migrations/armillary_migrations",
    "tests": "tests/plugins",
}


def render(name: str, root: Path) -> list[Path]:
    """Write the plugin, its migration and its test below ``root``; return the new files."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise SystemExit(f"{name!r} is no name for a plugin: take lower-case letters, as in hello.")
    written: list[Path] = []
    for part, place in PLACES.items():
        folder = root / place / name
        if folder.exists():
            raise SystemExit(f"{folder} is there already: choose another name.")
        folder.mkdir(parents=True)
        for source in sorted((HERE / part).glob("*.py")):
            target = folder / source.name
            text = source.read_text(encoding="utf-8")
            target.write_text(re.sub(r"\bexample\b", name, text), encoding="utf-8")
            written.append(target)
    return written


if __name__ == "__main__":
    ROOT = HERE.parents[1]
    for path in render(sys.argv[1], ROOT):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
