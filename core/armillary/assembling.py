"""Puts a core together and opens it, leaving out one plugin after the other that fails.

::

    make a core ──▶ open, migrate ──▶ ask the hooks ──▶ it runs
         ▲               │                 │
         └── without the plugin that failed, and those that require it

A plugin that failed half-way has handed over rules or tables already; so nothing of that core is
kept, and the next one never hears of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from armillary.core import Core
from armillary.discovery import Found, Refusal
from armillary.errors import PluginFailed
from armillary.settings import Settings

T = TypeVar("T")

_RECORD = "left_out.json"
_log = logging.getLogger("armillary.plugins")


async def assembled(
    settings: Settings, found: Mapping[str, Found], ask: Callable[[Core], T]
) -> tuple[Core, T]:
    """Return an open core, and what its hooks hand over when ``ask`` asks them."""
    failed: dict[str, str] = {}
    while True:
        try:
            core = Core.create(settings, found=found, failed=failed)
            await core.open()
            try:
                return core, ask(core)
            except BaseException:
                await core.close()
                raise
        except PluginFailed as error:
            if error.plugin in failed:
                raise
            failed[error.plugin] = error.reason
            _log.debug("the plugin %s failed", error.plugin, exc_info=error)


async def tell(core: Core) -> None:
    """Say in the log what is left out and what is left behind, and keep the first for commands."""
    for refusal in core.plugins.refused:
        _log.warning("%s", refusal.sentence)
    for owner in await core.left_behind():
        _log.info(
            "the database keeps the tables of %s, which is not installed; installing it again "
            "finds them as they are",
            owner,
        )
    record(core.settings.home, core.plugins.refused)


def record(home: Path, refused: Sequence[Refusal]) -> None:
    """Keep what was left out at this start where `armillary plugins` reads it."""
    file = home / _RECORD
    try:
        if refused:
            home.mkdir(parents=True, exist_ok=True)
            file.write_bytes(msgspec.json.encode(refused))
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s cannot be written (%s); armillary plugins will not know", file, error)


def recorded(home: Path) -> list[Refusal]:
    """Read what was left out when a server of this home was started last."""
    try:
        return msgspec.json.decode((home / _RECORD).read_bytes(), type=list[Refusal])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError):
        _log.warning("%s cannot be read; the next start writes it anew", home / _RECORD)
        return []
