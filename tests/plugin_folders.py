"""Plugins that a test writes for itself, instead of those that ship."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import armillary_plugins


class PluginFolder:
    """A folder in which plugins are found."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, manifest: str = "", files: Mapping[str, str] | None = None) -> None:
        """Write a plugin: further arguments of its manifest, files beside an empty plugin.py."""
        package = self.path / name
        package.mkdir()
        (package / "__init__.py").write_text(
            f'"""Is {name}."""\nfrom armillary import Manifest\n'
            f'MANIFEST = Manifest(summary="Is {name}.", {manifest})\n',
            encoding="utf-8",
        )
        for file, text in {"plugin.py": "", **(files or {})}.items():
            (package / file).parent.mkdir(exist_ok=True)
            (package / file).write_text(dedent(text), encoding="utf-8")


@contextmanager
def plugins_in(path: Path) -> Iterator[PluginFolder]:
    """Let plugins be found in this folder alone; those that ship are as if never imported."""
    before = list(armillary_plugins.__path__)
    shipped = forgotten()
    armillary_plugins.__path__[:] = [str(path)]
    try:
        yield PluginFolder(path)
    finally:
        armillary_plugins.__path__[:] = before
        forgotten()
        sys.modules.update(shipped)


def forgotten() -> dict[str, ModuleType]:
    """Take every imported plugin out of the imported modules."""
    names = [name for name in sys.modules if name.startswith("armillary_plugins.")]
    return {name: sys.modules.pop(name) for name in names}
