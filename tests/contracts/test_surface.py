"""What people write into settings and on the command line is recorded: a change shows in review."""

from collections.abc import Callable

import msgspec
import pytest

from armillary.commands import plugins_table, services_table
from armillary.discovery import discover
from armillary.plugins import Plugins, enabled_among
from armillary.settings import effective, load


@pytest.mark.snapshots
def test_the_settings_are_recorded(snapshot: Callable[[str, str], None]) -> None:
    settings = load(discover(), environ={}, flags={"home": "/home/of/armillary"})
    rows = [
        f"{name} = {msgspec.json.encode(value).decode()}" for name, value, _ in effective(settings)
    ]
    snapshot("settings.txt", "\n".join(rows) + "\n")


@pytest.mark.snapshots
def test_the_plugins_and_targets_are_recorded(snapshot: Callable[[str, str], None]) -> None:
    found = discover()
    enabled = enabled_among(found, enable=(), disable=())
    plugins = Plugins(found, enabled=enabled, targets=["all"])
    for name, table in (("plugins", plugins_table(plugins)), ("services", services_table(plugins))):
        snapshot(f"{name}.txt", "".join(" | ".join(row) + "\n" for row in table))
