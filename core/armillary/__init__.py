"""The core of Armillary: everything a plugin needs is imported from here.

Each name is loaded when it is first used, so that importing a plugin's manifest costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from armillary.core import Core
    from armillary.hookspecs import hookimpl, hookspec
    from armillary.manifest import Manifest
    from armillary.services.consumer import Consumer
    from armillary.services.loop import Done, LoopService
    from armillary.services.service import Service

__all__ = [
    "Consumer",
    "Core",
    "Done",
    "LoopService",
    "Manifest",
    "Service",
    "hookimpl",
    "hookspec",
]

_HOMES = {
    "Consumer": "armillary.services.consumer",
    "Core": "armillary.core",
    "Done": "armillary.services.loop",
    "LoopService": "armillary.services.loop",
    "Manifest": "armillary.manifest",
    "Service": "armillary.services.service",
    "hookimpl": "armillary.hookspecs",
    "hookspec": "armillary.hookspecs",
}


def __getattr__(name: str) -> object:
    """Load a public name from where it lives."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(home), name)
