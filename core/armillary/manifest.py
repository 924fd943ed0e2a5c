"""What a plugin says about itself before anything of it is loaded."""

from __future__ import annotations

import msgspec

PLUGIN_API = 1
"""The version of what plugins build on.

It rises with each change that a plugin made for the version before would not survive.
"""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin in short: the line people read, what must be enabled with it, its settings."""

    summary: str
    """The first line of the plugin's docstring."""
    api: int | None = None
    """The version of the plugin API it was made for; those that ship always fit, and say none."""
    requires: tuple[str, ...] = ()
    """Plugins that must be enabled where this one is; never that they run in this process."""
    default: bool = True
    """Whether it is enabled unless settings say otherwise."""
    aliases: tuple[str, ...] = ()
    """Other names it is known by, accepted wherever its name is."""
    config: type[msgspec.Struct] | None = None
    """The struct its settings section is decoded into."""
    elsewhere: str | None = None
    """The setting of its section that, where it is given, lets it run by itself with no database:
    what it works for is elsewhere."""
    host: str | None = None
    """For a plugin that only implements another's hooks: the target it means is that one."""
