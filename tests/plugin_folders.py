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


class Installed:
    """A folder of distributions with one plugin each, as pip leaves them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self, name: str, manifest: str = "api=1", files: Mapping[str, str] | None = None
    ) -> None:
        """Install armillary-NAME 0.3: arguments of its manifest, and files."""
        package = self.path / f"armillary_{name}"
        package.mkdir(parents=True)
        init = f"from armillary import Manifest\nMANIFEST = Manifest(summary='Is.', {manifest})\n"
        for file, text in {"__init__.py": init, "plugin.py": "", **(files or {})}.items():
            (package / file).parent.mkdir(exist_ok=True)
            (package / file).write_text(dedent(text), encoding="utf-8")
        told = self.path / f"armillary_{name}-0.3.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Name: armillary-{name}\nVersion: 0.3\n")
        (told / "entry_points.txt").write_text(f"[armillary]\n{name} = armillary_{name}\n")


@contextmanager
def installed_in(path: Path) -> Iterator[Installed]:
    """Let what a test installs in this folder be found, and forget it afterwards."""
    sys.path.insert(0, str(path))
    try:
        yield Installed(path)
    finally:
        sys.path.remove(str(path))
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(path)):
                del sys.modules[name]


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
