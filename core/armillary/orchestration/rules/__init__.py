"""Every rule of the core, one a file, found by lying in this folder.

What order they are asked in is decided by phase, ``after`` and name alone: see
:mod:`armillary.orchestration.policy`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType

from armillary.orchestration.rule import Rule


def _rules_in(module: ModuleType) -> list[type[Rule]]:
    return [
        found
        for name, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Rule)
        and found.__module__ == module.__name__
        and not name.startswith("_")
    ]


RULES: tuple[type[Rule], ...] = tuple(
    rule
    for entry in pkgutil.iter_modules(__path__, f"{__name__}.")
    for rule in _rules_in(importlib.import_module(entry.name))
)
