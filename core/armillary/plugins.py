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
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pluggy

from armillary import hookspecs
from armillary.discovery import (
    ALL,
    API,
    BACKGROUND,
    GROUPS,
    SERVER,
    WORDS,
    Found,
    Refusal,
    folded,
    told,
)
from armillary.errors import ConfigError, PluginFailed

_WEB = frozenset({"register_routes"})
_KINDS = {
    "register_routes": "web",
    "register_services": "loop",
    "register_consumers": "consumer",
    "register_jobs": "jobs",
}
TARGETED = frozenset(_KINDS) | {"register_checks"}


class Names:
    """Every name that people may write for a plugin or a target."""

    def __init__(self, found: Mapping[str, Found]) -> None:
        self._canonical = {name: name for name in found}
        for plugin in found.values():
            for alias in map(folded, plugin.manifest.aliases):
                self._canonical.setdefault(alias, plugin.name)

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
    """Close what is wanted over ``requires``, each after those it requires.

    What cannot be used is among them; :class:`Plugins` leaves it out, and tells why.
    """
    names = Names(found)
    off = {names.plugin(name, where="plugins.disable") for name in disable}
    wanted = {plugin.name for plugin in found.values() if plugin.manifest.default}
    wanted |= {names.plugin(name, where="plugins.enable") for name in enable}
    graph: dict[str, set[str]] = {}
    waiting = sorted(wanted - off)
    while waiting:
        plugin = waiting.pop()
        if plugin in graph:
            continue
        required = {names.find(name) for name in found[plugin].manifest.requires} - {None}
        for name in required & off:
            message = (
                f"The plugin {plugin} requires {name}, which plugins.disable turns off: disable "
                f"{plugin} too, or leave {name} on."
            )
            raise ConfigError(message)
        graph[plugin] = {name for name in required if name is not None}
        waiting.extend(graph[plugin])
    return _sorted(graph)


def _sorted(graph: dict[str, set[str]]) -> tuple[str, ...]:
    """Put each plugin behind those it requires, else by name; circles are cut somewhere."""
    ordered: list[str] = []
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = set(error.args[1])
        return _sorted({name: of - circle if name in circle else of for name, of in graph.items()})
    while ready := sorted(sorter.get_ready()):
        ordered.extend(ready)
        sorter.done(*ready)
    return tuple(ordered)


class Plugins:
    """The plugins of this process, and those it has to do without."""

    def __init__(
        self,
        found: Mapping[str, Found],
        *,
        enabled: Sequence[str],
        targets: Iterable[str],
        failed: Mapping[str, str] | None = None,
    ) -> None:
        """Load what is enabled, but for those that ``failed`` before, for the reason they have."""
        self.found = found
        self._names = Names(found)
        self._reasons: dict[str, str] = {}
        self._loaded: list[str] = []
        self._manager = pluggy.PluginManager("armillary")
        self._manager.add_hookspecs(hookspecs)
        for name in enabled:
            plugin = found[name]
            reason = (failed or {}).get(name) or plugin.reason or self._lacking(plugin)
            if reason := reason or self._load(plugin):
                self._reasons[name] = reason
            else:
                self._loaded.append(name)
        while unknown := self._unknown_hook():
            self._leave_out(*unknown)
        self.enabled = tuple(self._loaded)
        self.targets = self._resolved(targets)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What should run here and is left out, by name, each with its reason."""
        return tuple(
            Refusal(name, plugin.package, plugin.distribution, reason)
            for name, reason in sorted(self._reasons.items())
            for plugin in [self.found[name]]
        )

    def _lacking(self, plugin: Found) -> str:
        """Say which plugin one requires that is not there; empty if it has all."""
        for written in plugin.manifest.requires:
            name = self._names.find(written)
            if name is None:
                near = suggestion(folded(written), self.found).rstrip(".")
                return f"it requires the plugin {written}, which is not there{near}"
            if name in self._reasons:
                return f"it requires the plugin {name}, which is left out"
            if name not in self._loaded:
                return f"it requires the plugin {name}, which in the end requires it"
        return ""

    def _load(self, plugin: Found) -> str:
        """Import a plugin's hooks; say why that cannot be, or nothing."""
        try:
            for name in self._host_specs(plugin.package):
                self._manager.add_hookspecs(importlib.import_module(name))
            module = importlib.import_module(f"{plugin.package}.plugin")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises
            return f"it cannot be loaded ({told(error)})"
        try:
            self._manager.register(module, plugin.name)
        except (pluggy.PluginValidationError, ValueError) as error:
            self._forget(plugin.name)
            return f"a hook of it does not fit ({told(error)})"
        return ""

    def _unknown_hook(self) -> tuple[str, str] | None:
        """Find a plugin that implements a hook which nobody calls, and say so."""
        callers = {name: each for name, each in vars(self._manager.hook).items() if name[0] != "_"}
        known = [name for name, caller in callers.items() if caller.has_spec()]
        for name in callers.keys() - set(known):
            for implementation in callers[name].get_hookimpls():
                if not implementation.optionalhook:
                    near = suggestion(name, known).rstrip(".")
                    reason = f"it implements the hook {name}, which nobody calls{near}"
                    return implementation.plugin_name, reason
        return None

    def _leave_out(self, plugin: str, reason: str) -> None:
        """Let go of a plugin that was loaded, and of those that require it."""
        self._reasons[plugin] = reason
        self._loaded.remove(plugin)
        self._forget(plugin)
        for name in list(self._loaded):
            if name in self._loaded and (lacking := self._lacking(self.found[name])):
                self._leave_out(name, lacking)

    def _forget(self, plugin: str) -> None:
        if self._manager.has_plugin(plugin):
            self._manager.unregister(name=plugin)

    def _host_specs(self, package: str) -> list[str]:
        """Name the module of hooks a plugin calls on others, where it has one."""
        name = f"{package}.hookspecs"
        return [name] if importlib.util.find_spec(name) else []

    def _resolved(self, targets: Iterable[str]) -> frozenset[str]:
        resolved: set[str] = set()
        absent: list[str] = []
        for written in targets:
            name = self._names.target(written, where="--target")
            plugin = self.found.get(name)
            if name in self._reasons:
                absent.append(name)
                continue
            if plugin is not None and name not in self.enabled:
                message = (
                    f"--target: the plugin {name} is not enabled: add it to plugins.enable, or "
                    "take it from the targets."
                )
                raise ConfigError(message)
            host = plugin.manifest.host if plugin is not None else None
            resolved.add(host or name)
        if absent and not resolved:
            message = f"--target: the plugin {absent[0]} is left out: {self._reasons[absent[0]]}."
            raise ConfigError(message)
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
            collected.extend((name, entry) for entry in self._answer(name, found, wanted))
        return collected

    def _answer(
        self, plugin: str, implementation: pluggy.HookImpl, arguments: list[object]
    ) -> list[Any]:
        """Call one plugin's hook; PluginFailed if it raises anything but a word to the operator."""
        try:
            answer: Iterable[Any] = implementation.function(*arguments)  # type: ignore[assignment]
            return list(answer)
        except ConfigError:
            raise
        except (Exception, SystemExit) as error:
            hook = implementation.function.__name__
            raise PluginFailed(plugin, f"its {hook} fails ({told(error)})") from error
