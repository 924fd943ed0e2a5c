"""Every function that asks or changes the database for somebody, and which of them were used."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import armillary
import armillary_plugins

_FIRST = {"reader", "unit", "database"}


def repository_functions() -> dict[CodeType, str]:
    """Public functions of modules named ``repository`` that take a reader or unit first."""
    found = {}
    for package in (armillary, armillary_plugins):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "repository" not in module.name.split("."):
                continue
            for name, function in vars(importlib.import_module(module.name)).items():
                if not inspect.isfunction(function) or function.__module__ != module.name:
                    continue
                first = next(iter(inspect.signature(function).parameters), None)
                if not name.startswith("_") and first in _FIRST:
                    found[function.__code__] = f"{module.name}.{name}"
    return found


@contextlib.contextmanager
def noting_calls() -> Iterator[set[CodeType]]:
    """Note what is called meanwhile in this thread."""
    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            called.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)
