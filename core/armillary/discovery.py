"""Finds plugins, by folder and by entry point, and says of each why it cannot be used.

Nothing that somebody installs keeps the server from starting: what does not import, has no
manifest, was made for another version of the plugin API or takes a name that is taken is found
with a reason, and left out.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from armillary.manifest import PLUGIN_API, Manifest

SERVER = "server"
GROUPS = ("flow_run_reads", "flow_run_writes", "task_run_reads", "task_run_writes")
"""The request groups of the core: its four parts that can be targeted by themselves."""
ALL, API, BACKGROUND = "all", "api", "background"
WORDS = (ALL, API, BACKGROUND)
"""Targets that stand for many."""
SECTIONS = ("server", "database", "redis", "plugins", "orchestration", "log")
"""The core's sections of the settings."""

_TAKEN = frozenset({"core", *WORDS, *GROUPS, *SECTIONS})
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_UNKNOWN = Manifest(summary="")
"""What is known of a plugin that could not say anything."""


class Found(msgspec.Struct, frozen=True):
    """A plugin that is there: its name, its package, and what it says about itself."""

    name: str
    package: str
    manifest: Manifest
    distribution: str = ""
    """The name and version it was installed by; empty for what ships."""
    reason: str = ""
    """Why it cannot be used; empty where it can."""


class Refusal(msgspec.Struct, frozen=True):
    """A plugin that is left out, and why."""

    plugin: str
    package: str
    distribution: str
    """The name and version it was installed by; empty for what ships."""
    reason: str
    """What comes after "it is left out: ", without a full stop."""

    @property
    def sentence(self) -> str:
        """The whole of it, for a log or a page."""
        by = f" ({self.distribution})" if self.distribution else ""
        return f"The plugin {self.plugin}{by} is left out: {self.reason}."


def folded(name: str) -> str:
    """Write a name the one way: dashes are underscores, case does not count."""
    return name.strip().replace("-", "_").lower()


def told(error: BaseException) -> str:
    """Say what was raised, on one line and without the full stop."""
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def add_folder(home: Path) -> None:
    """Let what pip put into the folder of plugins of a home be imported, after all else."""
    folder = str(home / "plugins")
    if os.path.isdir(folder) and folder not in sys.path:  # noqa: PTH112 - of a home that cannot be, too
        sys.path.append(folder)
        importlib.invalidate_caches()


def discover() -> dict[str, Found]:
    """Find every plugin, by name; those that cannot be used have a reason."""
    found: dict[str, Found] = {}
    for place in (*_shipped(), *_installed()):
        first = found.get(place.name)
        if first is None:
            found[place.name] = _introduced(place)
        elif first.package != place.package:
            reason = f"the name {place.name} is that of {first.package} already: uninstall one"
            name = f"{place.name} of {place.package}"
            found[name] = msgspec.structs.replace(place, name=name, reason=reason)
    return _with_names_of_their_own(dict(sorted(found.items())))


def _shipped() -> Iterator[Found]:
    import armillary_plugins  # noqa: PLC0415 - discovery is the one place where the core looks there

    for entry in pkgutil.iter_modules(armillary_plugins.__path__):
        if entry.ispkg:
            yield Found(entry.name, f"{armillary_plugins.__name__}.{entry.name}", _UNKNOWN)


def _installed() -> Iterator[Found]:
    points = importlib.metadata.entry_points(group="armillary")
    for point in sorted(points, key=lambda each: (each.name, each.value)):
        by = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        yield Found(folded(point.name), point.value, _UNKNOWN, by)


def _introduced(place: Found) -> Found:
    """Import a plugin's own words about itself."""
    if not _NAME.fullmatch(place.name):
        return _refused(place, "a name consists of letters, digits and underscores")
    if place.name in _TAKEN or place.name == SERVER:
        return _refused(place, f"the name {place.name} is the core's: rename it")
    try:
        manifest = getattr(importlib.import_module(place.package), "MANIFEST", None)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever somebody's plugin raises
        misfit = _misfit(_api_written_in(place.package))
        return _refused(place, misfit or f"it cannot be imported ({told(error)})")
    if not isinstance(manifest, Manifest):
        return _refused(place, f"there is no MANIFEST in {place.package}")
    found = msgspec.structs.replace(place, manifest=manifest)
    if manifest.api is None and place.distribution:
        return _refused(found, f"its manifest does not say api={PLUGIN_API}, or what it needs")
    return _refused(found, _misfit(manifest.api))


def _refused(found: Found, reason: str) -> Found:
    return msgspec.structs.replace(found, reason=reason)


def _misfit(api: int | None) -> str:
    """Say what to do about a plugin for another version of the plugin API; empty if it fits."""
    if api is None or api == PLUGIN_API:
        return ""
    upgrade = "Armillary" if api > PLUGIN_API else "the plugin"
    return f"it is for plugin API {api}, and this Armillary has {PLUGIN_API}: upgrade {upgrade}"


def _api_written_in(package: str) -> int | None:
    """Read the version from the source of a manifest that could not be imported."""
    try:
        spec = importlib.util.find_spec(package)
        source = Path(spec.origin).read_bytes() if spec and spec.origin else b""
        tree = ast.parse(source)
    except (ImportError, OSError, SyntaxError, ValueError):
        return None  # the failed import tells more
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "api":
            value = node.value.value if isinstance(node.value, ast.Constant) else None
            return value if isinstance(value, int) else None
    return None


def _with_names_of_their_own(found: dict[str, Found]) -> dict[str, Found]:
    """Refuse whoever goes by another name that is taken: those that ship come first."""
    taken = {name: name for name in found} | dict.fromkeys((SERVER, *_TAKEN), "the core")
    for plugin in sorted(found.values(), key=lambda each: bool(each.distribution)):
        for alias in map(folded, plugin.manifest.aliases):
            owner = taken.setdefault(alias, plugin.name)
            if owner != plugin.name and not plugin.reason:
                reason = f"its other name {alias} is taken by {owner}"
                found[plugin.name] = _refused(plugin, reason)
    return found
