"""Settings of the pages."""

from __future__ import annotations

from typing import Literal

import msgspec


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What pages look like, and how long their streams stay alive."""

    environment: str = ""
    """Name of the environment, shown on every page and in its title; empty shows none."""
    environment_colour: Literal["grey", "green", "amber", "red", "blue", "violet"] = "grey"
    """Colour of that name."""
    heartbeat: float = 15.0
    """Seconds between two signs of life on streams; pages poll after 30 seconds of silence."""
