"""What plugins hand over arrives: tables are made, rules stand in the policies, services run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from armillary.core import Core
from armillary.discovery import discover
from armillary.errors import ConfigError
from armillary.server import services_of
from armillary.settings import load
from tests.plugin_folders import PluginFolder, plugins_in

MOONS = """
    import sys
    from armillary import Consumer, Done, LoopService, hookimpl
    from armillary.db.tables import Tables
    from armillary.events.catalogue import EventType
    from armillary.orchestration.rule import Phase, Rule
    from armillary.services.check import Check
    from armillary_plugins.moons.config import Config

    STATEMENTS = ("create table moon (name text not null)",)

    class MoonsDecide(Rule):
        phase = Phase.GUARD
        subjects = frozenset({"flow_run"})
        policies = frozenset({"core"})

    class Waxes(LoopService):
        name = "waxes"

        async def run_once(self):
            return Done()

    class Reads(Consumer):
        name = "reads"
        topic = "events"

        async def handle(self, messages):
            pass

    async def full():
        return "the moon is new"

    @hookimpl
    def register_tables():
        return [Tables("moons", steps="armillary_plugins.moons.steps")]

    @hookimpl
    def register_rules():
        return [MoonsDecide]

    @hookimpl
    def register_events():
        return [EventType(name="moon.full", summary="The moon is full.")]

    @hookimpl
    def register_checks(core):
        return [Check(name="moon", passes=full)]

    @hookimpl
    def register_services(core):
        return [Waxes(core, interval=core.config(Config).interval)]

    @hookimpl
    def register_consumers(core):
        return [Reads(core)]
"""
CONFIG = """
    import msgspec

    class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        interval: float = 5.0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[PluginFolder]:
    place = tmp_path / "plugins"
    place.mkdir()
    with plugins_in(place) as found:
        files = {
            "config.py": CONFIG,
            "plugin.py": MOONS,
            "steps/__init__.py": "",
            "steps/m0001_create.py": 'STATEMENTS = ("create table moon (name text not null)",)',
        }
        found.write("moons", "config=Config", files)
        init = place / "moons" / "__init__.py"
        init.write_text(f"from armillary_plugins.moons.config import Config\n{init.read_text()}")
        yield found


def made(database_url: str, home: Path, **flags: object) -> Core:
    found = discover()
    given = {"home": str(home), "database.url": database_url, **flags}
    return Core.create(load(found, environ={}, flags=given), found=found)


@pytest.mark.usefixtures("folder")
async def test_what_a_plugin_hands_over_arrives(empty_database_url: str, tmp_path: Path) -> None:
    core = made(empty_database_url, tmp_path, **{"moons.interval": 7})
    applied = await core.open()
    assert list(dict.fromkeys(step.owner for step in applied)) == ["core", "moons"]
    assert await core.database.read(None).value("select count(*) from moon") == 0
    assert "MoonsDecide" in {
        type(rule).__name__ for rule in core.gate.policies.of("flow_run", "core").rules
    }
    running = {service.name: service for service in services_of(core)}
    assert running["waxes"].interval == 7  # type: ignore[attr-defined]  # made by the plugin
    assert "reads" in running
    (check,) = core.collect("register_checks", core)
    assert await check.passes() == "the moon is new"
    assert [event.name for event in core.collect("register_events")] == ["moon.full"]
    await core.close()


def test_two_plugins_with_one_name_for_a_thing_are_told(
    folder: PluginFolder, database_url: str, tmp_path: Path
) -> None:
    folder.write("copy", files={"plugin.py": MOONS, "config.py": CONFIG})
    with pytest.raises(ConfigError, match="copy hands over 'MoonsDecide' as well"):
        made(database_url, tmp_path)


def test_a_core_has_ten_attributes_at_most(core: Core) -> None:
    assert len(vars(core)) <= 10
