"""Plugins: found, enabled, targeted.

*Found* is a folder of ``armillary_plugins`` or an entry point of the group ``armillary``; only its
``__init__`` is imported.  *Enabled* is what settings and ``requires`` leave of that; its
``plugin`` module is imported, in every process alike.  *Targeted* is what this process runs: only
then do the hooks for routes, services, consumers and jobs run, and import what they hand over.

What this process runs is asked like this::

    plugins.runs("scheduler", "register_services")   a targeted hook of a plugin
    plugins.serves("flow_run_reads")                  a request group of the core, or "server"
    plugins.serves_core()                             any of them
    plugins.serves_http()                             anything that answers requests
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import importlib.util
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from types import ModuleType
from typing import Any

import msgspec
import pluggy

from armillary import hookspecs
from armillary.errors import ConfigError
from armillary.manifest import Manifest

SERVER = "server"
GROUPS = ("flow_run_reads", "flow_run_writes", "task_run_reads", "task_run_writes")
"""The request groups of the core: its four parts that can be targeted by themselves."""
ALL, API, BACKGROUND = "all", "api", "background"
WORDS = (ALL, API, BACKGROUND)
"""Targets that stand for many."""

_WEB = frozenset({"register_routes"})
_KINDS = {
    "register_routes": "web",
    "register_services": "loop",
    "register_consumers": "consumer",
    "register_jobs": "jobs",
}
TARGETED = frozenset(_KINDS) | {"register_checks"}


class Found(msgspec.Struct, frozen=True):
    """A plugin that is there: its name, its package, and what it says about itself."""

    name: str
    package: str
    manifest: Manifest


def folded(name: str) -> str:
    """Write a name the one way: dashes are underscores, case does not count."""
    return name.strip().replace("-", "_").lower()


def discover() -> dict[str, Found]:
    """Find every plugin, by folder and by entry point; ConfigError if one does not import."""
    import armillary_plugins  # noqa: PLC0415 - discovery is the one place where the core looks there

    packages = {
        entry.name: f"{armillary_plugins.__name__}.{entry.name}"
        for entry in pkgutil.iter_modules(armillary_plugins.__path__)
        if entry.ispkg
    }
    for point in importlib.metadata.entry_points(group="armillary"):
        if packages.setdefault(folded(point.name), point.value) != point.value:
            message = (
                f"Two plugins are called {point.name} ({packages[folded(point.name)]} and "
                f"{point.value}): uninstall one of them."
            )
            raise ConfigError(message)
    return {name: _introduced(name, package) for name, package in sorted(packages.items())}


def _introduced(name: str, package: str) -> Found:
    manifest = getattr(_imported(name, package), "MANIFEST", None)
    if not isinstance(manifest, Manifest):
        message = f"The plugin {name} has no MANIFEST in {package}: remove the folder or add it."
        raise ConfigError(message)
    return Found(name, package, manifest)


def _imported(plugin: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:
        message = (
            f"The plugin {plugin} cannot be loaded ({type(error).__name__}: {error}): repair or "
            f"uninstall it, or start with plugins.disable = [{plugin!r}]."
        )
        raise ConfigError(message) from error


class Names:
    """Every name that people may write for a plugin or a target."""

    def __init__(self, found: Mapping[str, Found]) -> None:
        self._canonical: dict[str, str] = {}
        for plugin in found.values():
            for name in (plugin.name, *map(folded, plugin.manifest.aliases)):
                if self._canonical.setdefault(name, plugin.name) != plugin.name:
                    message = (
                        f"The plugins {self._canonical[name]} and {plugin.name} both go by the "
                        f"name {name}: rename one of them."
                    )
                    raise ConfigError(message)

    def plugin(self, name: str, *, where: str) -> str:
        """Return the plugin's own name; ConfigError with a suggestion if there is none."""
        return self._known(name, (), where)

    def target(self, name: str, *, where: str) -> str:
        """Return the target's own name; ConfigError with a suggestion if there is none."""
        return self._known(name, (*WORDS, SERVER, *GROUPS), where)

    def find(self, name: str) -> str | None:
        """Return the plugin's own name, or None."""
        return self._canonical.get(folded(name))

    def _known(self, name: str, more: Sequence[str], where: str) -> str:
        known = self._canonical | {word: word for word in more}
        if (wanted := folded(name)) in known:
            return known[wanted]
        message = f"{where}: there is no {name!r}{suggestion(wanted, known)}"
        raise ConfigError(message)


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """End a sentence about an unknown name with the nearest known one."""
    near = difflib.get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."


def enabled_among(
    found: Mapping[str, Found], *, enable: Iterable[str], disable: Iterable[str]
) -> tuple[str, ...]:
    """Close what is wanted over ``requires``, each after those it requires."""
    names = Names(found)
    off = {names.plugin(name, where="plugins.disable") for name in disable}
    wanted = {plugin.name for plugin in found.values() if plugin.manifest.default}
    wanted |= {names.plugin(name, where="plugins.enable") for name in enable}
    graph: dict[str, list[str]] = {}
    waiting = sorted(wanted - off)
    while waiting:
        plugin = waiting.pop()
        if plugin in graph:
            continue
        where = f"The plugin {plugin} requires another"
        required = sorted(names.plugin(n, where=where) for n in found[plugin].manifest.requires)
        for name in set(required) & off:
            message = (
                f"The plugin {plugin} requires {name}, which plugins.disable turns off: disable "
                f"{plugin} too, or leave {name} on."
            )
            raise ConfigError(message)
        graph[plugin] = required
        waiting.extend(required)
    return _sorted(graph)


def _sorted(graph: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Put each plugin behind those it requires, else by name."""
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        message = f"These plugins require each other: {' → '.join(reversed(error.args[1]))}."
        raise ConfigError(message) from error
    ordered: list[str] = []
    while ready := sorted(sorter.get_ready()):
        ordered.extend(ready)
        sorter.done(*ready)
    return tuple(ordered)


class Plugins:
    """The plugins of this process."""

    def __init__(
        self, found: Mapping[str, Found], *, enabled: Sequence[str], targets: Iterable[str]
    ) -> None:
        self.found = found
        self.enabled = tuple(enabled)
        self._manager = pluggy.PluginManager("armillary")
        self._manager.add_hookspecs(hookspecs)
        for name in self.enabled:
            self._manager.register(self._loaded(found[name]), name)
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            message = f"A plugin implements a hook that nobody calls: {error}"
            raise ConfigError(message) from error
        self.targets = self._resolved(targets)

    def _loaded(self, plugin: Found) -> ModuleType:
        for name in self._host_specs(plugin.package):
            self._manager.add_hookspecs(_imported(plugin.name, name))
        return _imported(plugin.name, f"{plugin.package}.plugin")

    def _host_specs(self, package: str) -> list[str]:
        """Name the module of hooks a plugin calls on others, where it has one."""
        name = f"{package}.hookspecs"
        return [name] if importlib.util.find_spec(name) else []

    def _resolved(self, targets: Iterable[str]) -> frozenset[str]:
        names = Names(self.found)
        resolved: set[str] = set()
        for written in targets:
            name = names.target(written, where="--target")
            plugin = self.found.get(name)
            if plugin is not None and name not in self.enabled:
                message = (
                    f"--target: the plugin {name} is not enabled: add it to plugins.enable, or "
                    "take it from the targets."
                )
                raise ConfigError(message)
            host = plugin.manifest.host if plugin is not None else None
            resolved.add(host or name)
        return frozenset(resolved)

    def runs(self, plugin: str, hook: str) -> bool:
        """Tell whether a targeted hook of an enabled plugin is called in this process."""
        if plugin in self.targets or ALL in self.targets:
            return True
        if hook == "register_checks":
            return bool({API, BACKGROUND} & self.targets)
        return (API if hook in _WEB else BACKGROUND) in self.targets

    def serves(self, group: str) -> bool:
        """Tell whether this process answers a request group of the core, or ``server`` whole."""
        return bool({group, SERVER, API, ALL} & self.targets)

    def serves_core(self) -> bool:
        """Tell whether this process answers any request group of the core."""
        return any(self.serves(group) for group in (SERVER, *GROUPS))

    def serves_http(self) -> bool:
        """Tell whether this process answers requests at all."""
        return self.serves_core() or any(
            "register_routes" in self.hooks(name) and self.runs(name, "register_routes")
            for name in self.enabled
        )

    def hooks(self, plugin: str) -> frozenset[str]:
        """Return the names of the hooks an enabled plugin implements."""
        module = self._manager.get_plugin(plugin)
        callers = (module and self._manager.get_hookcallers(module)) or []
        return frozenset(caller.name for caller in callers)

    def kinds(self, plugin: str) -> tuple[str, ...]:
        """Return what there is to run of an enabled plugin: web, loop, consumer, jobs."""
        hooks = self.hooks(plugin)
        return tuple(kind for hook, kind in _KINDS.items() if hook in hooks)

    def here(self, plugin: str) -> bool:
        """Tell whether anything of a plugin runs in this process."""
        return any(self.runs(plugin, hook) for hook in self.hooks(plugin) & TARGETED)

    def collect(self, hook: str, *arguments: object) -> list[tuple[str, Any]]:
        """Call a hook on every plugin it is called for; pairs of plugin and object, in order."""
        caller = getattr(self._manager.hook, hook)
        given = dict(zip(caller.spec.argnames, arguments, strict=True))
        implementations = {found.plugin_name: found for found in caller.get_hookimpls()}
        collected: list[tuple[str, Any]] = []
        for name in self.enabled:
            found = implementations.get(name)
            if found is None or (hook in TARGETED and not self.runs(name, hook)):
                continue
            wanted = [given[argument] for argument in found.argnames]
            collected.extend((name, entry) for entry in found.function(*wanted))
        return collected
